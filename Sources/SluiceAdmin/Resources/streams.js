// The page of all streams: found by prefix, page by page, each with its latest values.

import { h, setAttributes, setText, sparkline, streamLink, table } from "./elements.js";
import { count, level, measure, plural, share, time, unknown } from "./format.js";
import { get } from "./service.js";

const pageRows = 25;
const refreshInterval = 2000;
const typingPause = 250;
const sparkValues = 48;

export function streamsPage({ parameters }) {
  let prefix = parameters.get("prefix") ?? "";
  let after = parameters.get("after");
  /** The `after` of the pages that led here, as far as they are known. */
  let trail = [];

  const search = h("input", {
    type: "search", id: "prefix", value: prefix, placeholder: "pump-", autocomplete: "off", spellcheck: "false",
    oninput: () => { clearTimeout(typing); typing = setTimeout(applySearch, typingPause); },
  });
  const list = table("Streams", [
    { title: "Stream" }, { title: "Latest values", class: "spark-cell" }, { title: "Forecast", class: "number" },
    { title: "Anomaly", class: "number" }, { title: "Mean error", class: "number middle" },
    { title: "Step", class: "number middle" }, { title: "Time (UTC)", class: "wide-only" },
    { title: "Sequence", class: "wide-only" }, { title: "Partition", class: "number wide-only" },
  ]);
  const note = h("p", { class: "empty", role: "status" }, "Loading…");
  const position = h("span", { class: "position" });
  const first = h("button", { type: "button", onclick: () => { trail = []; go(null); } }, "First");
  const back = h("button", { type: "button", onclick: () => go(trail.pop() ?? null) }, "Previous");
  const next = h("button", { type: "button", onclick: () => { trail.push(after); go(following); } }, "Next");
  const element = h("section", { class: "panel" },
    h("form", { class: "search", role: "search", onsubmit: (event) => { event.preventDefault(); applySearch(); } },
      h("h1", {}, "Streams"), h("label", { for: "prefix" }, "Key begins with"), search),
    list.element, note, h("div", { class: "pager" }, position, first, back, next));

  let typing = null;
  let following = null;
  /** Key → its row. */
  const rows = new Map();
  let loading = null;
  let timer = null;
  let isClosed = false;

  function applySearch() {
    clearTimeout(typing);
    if (search.value === prefix) return;
    prefix = search.value;
    trail = [];
    go(null, true);
  }

  /** The address follows what is shown; a page is an entry of the history, typing is not. */
  function go(place, isTyping = false) {
    after = place;
    const query = new URLSearchParams();
    if (prefix !== "") query.set("prefix", prefix);
    if (after !== null) query.set("after", after);
    const text = query.toString();
    const address = `#/streams${text === "" ? "" : `?${text}`}`;
    if (isTyping) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    load();
  }

  async function load() {
    loading?.abort();
    clearTimeout(timer);
    loading = new AbortController();
    const { signal } = loading;
    try {
      const query = new URLSearchParams({ limit: pageRows, values: sparkValues });
      if (prefix !== "") query.set("prefix", prefix);
      if (after !== null) query.set("after", after);
      if (!document.hidden) show(await get(`/v1/streams?${query}`, signal));
    } catch (error) {
      if (signal.aborted || isClosed) return;
      // The rows stay: they were true when they were loaded, and look like it.
      setText(note, `The streams cannot be listed: ${error.message}. Trying again.`);
      note.hidden = false;
      element.classList.add("failed");
    }
    if (!isClosed && !signal.aborted) timer = setTimeout(load, refreshInterval);
  }

  function show(page) {
    element.classList.remove("failed");
    following = page.next;
    for (const [key, row] of rows) if (!page.streams.some((one) => one.stream === key)) forget(key, row);
    page.streams.forEach((one, index) => {
      const row = rows.get(one.stream) ?? makeRow(one.stream);
      rows.set(one.stream, row);
      row.update(one);
      const there = list.rows.children[index] ?? null;
      if (there !== row.element) list.rows.insertBefore(row.element, there);
    });
    const isEmpty = page.streams.length === 0;
    list.element.hidden = isEmpty;
    note.hidden = !isEmpty;
    setText(note, after !== null ? "No stream comes behind this one."
      : prefix !== "" ? `No stream's key begins with “${prefix}”.` : "No stream yet: no observation has been folded.");
    const isAll = after === null && following === null;
    setText(position, isEmpty ? "" : isAll ? plural(page.streams.length, "stream", "streams")
      : `${count(page.streams.length)} shown${following === null ? ", no more follow" : ""}`);
    first.disabled = after === null;
    back.disabled = trail.length === 0;
    next.disabled = following === null;
  }

  function forget(key, row) {
    row.element.remove();
    rows.delete(key);
  }

  load();
  return {
    element,
    navigate(changed) {
      prefix = changed.get("prefix") ?? "";
      after = changed.get("after");
      if (search.value !== prefix) search.value = prefix;
      if (trail.at(-1) === after) trail.pop();
      load();
    },
    close() {
      isClosed = true;
      loading?.abort();
      clearTimeout(timer);
      clearTimeout(typing);
    },
  };
}

function makeRow(key) {
  const spark = sparkline(132, 24);
  const cells = {
    forecast: h("td", { class: "number" }), anomaly: h("td", { class: "number anomaly" }),
    error: h("td", { class: "number middle" }), step: h("td", { class: "number middle" }),
    time: h("td", { class: "wide-only" }), sequence: h("td", { class: "wide-only" }),
    partition: h("td", { class: "number wide-only" }),
  };
  const element = h("tr", {},
    h("th", { scope: "row", class: "key" }, streamLink(key)),
    h("td", { class: "spark-cell" }, spark.element), Object.values(cells));
  /** Offset → value: in a large service the service remembers few of a stream, and this page a few more. */
  const values = new Map();
  function update(one) {
    for (const { offset, value } of one.values ?? []) values.set(offset, value);
    for (const offset of [...values.keys()].slice(0, -sparkValues)) values.delete(offset);
    spark.draw([...values.values()], sparkValues);
    setText(cells.forecast, measure(one.forecast));
    setText(cells.anomaly, share(one.anomaly));
    setAttributes(cells.anomaly, { "data-level": level(one.anomaly) });
    setText(cells.error, measure(one.error));
    setText(cells.step, count(one.step));
    setText(cells.time, time(one.time));
    setText(cells.sequence, one.sequence ?? unknown);
    setText(cells.partition, String(one.partition));
  }
  return { element, update };
}
