// The page of one stream: its chart, its slot, and the button that resets it.

import { streamChart } from "./chart.js";
import { h, keyText, setAttributes, setText, sparkline, table } from "./elements.js";
import { count, level, measure, percent, share, time, unknown } from "./format.js";
import { get, streamPath } from "./service.js";

const windows = [64, 128, 256, 1024];
const windowUsual = 128;
/** The service remembers a few; what it has forgotten this page still shows. */
const entriesMaximum = 1024;
const normsMaximum = 60;
const tableRows = 20;

export function streamPage({ key, parameters, model, reset }) {
  const chart = streamChart();
  const told = h("div", { "aria-live": "polite" });
  const note = h("p", { class: "empty", role: "status" }, "Loading…");
  const facts = makeFacts();
  const norms = makeNorms();
  const scaler = table("Scaler", [
    { title: "Input" }, { title: "Mean", class: "number" }, { title: "Scale", class: "number" },
  ], "fit");
  const scalerCount = h("span", { class: "aside" });
  const recent = table("Latest observations", [
    { title: "Time (UTC)" }, { title: "Offset", class: "number" }, { title: "Step", class: "number" },
    { title: "Observed", class: "number" }, { title: "Next forecast", class: "number" },
    { title: "Low", class: "number middle" }, { title: "High", class: "number middle" },
    { title: "Anomaly", class: "number" }, { title: "Boundary" },
  ]);
  const chooser = h("select", { id: "window", onchange: () => choose(Number(chooser.value)) },
    windows.map((size) => h("option", { value: size }, `last ${size}`)));
  const button = h("button", { type: "button", class: "danger", disabled: true, onclick: () => reset(key) }, "Reset…");
  const body = h("div", { hidden: true },
    h("section", { class: "panel" }, h("div", { class: "panel-head" }, h("h2", {}, "Observations"),
      h("span", { class: "aside" }, "by observation, times in UTC"),
      h("label", { for: "window", class: "unseen" }, "Observations shown"), chooser), chart.element),
    facts.element,
    h("div", { class: "columns" },
      h("section", { class: "panel" }, h("h2", {}, "State"), norms.element),
      h("section", { class: "panel" },
        h("div", { class: "panel-head" }, h("h2", {}, "Scaler"), scalerCount), scaler.element)),
    h("details", { class: "panel" },
      h("summary", {}, `The latest ${tableRows} observations as a table`), recent.element));
  const element = h("div", {},
    h("div", { class: "title" }, h("p", { class: "path" }, h("a", { href: "#/streams" }, "Streams"), " /"),
      h("h1", { class: "key" }, keyText(key)), button),
    told, note, body);

  let shown = windowUsual;
  let slot = null;
  /** By offset, oldest first. */
  let entries = [];
  let observed = 0;
  const closing = new AbortController();

  function readWindow(query) {
    const wanted = Number(query.get("last"));
    shown = windows.includes(wanted) ? wanted : windowUsual;
    chooser.value = String(shown);
  }

  function choose(size) {
    history.replaceState(null, "", `#/stream/${encodeURIComponent(key)}${size === windowUsual ? "" : `?last=${size}`}`);
    shown = size;
    draw();
  }

  function take(next) {
    button.disabled = next === null;
    if (next === null) {
      const text = slot ? "This stream has ended: its state is gone. What is shown was its last."
        : "No such stream: none with this key has been seen, or it has ended. It appears here when it is observed.";
      setText(note, text);
      note.hidden = false;
      return;
    }
    note.hidden = true;
    const isFirst = slot === null;
    // Only the event says it; the answer to a plain request does not.
    slot = { ...next, horizon: next.horizon ?? slot?.horizon };
    remember(next.recent);
    body.hidden = false;
    if (isFirst) chart.draw(null);
    draw();
    facts.update(next);
    norms.update(next);
    showScaler(next.scaler);
    showRecent();
  }

  function remember(list) {
    const last = entries.at(-1)?.offset ?? -1;
    // An offset that comes again behind a later one: the log was begun anew, and what is remembered is of the old one.
    if (list.length > 0 && list.at(-1).offset < last) entries = [];
    for (const entry of list) {
      if (entry.offset <= (entries.at(-1)?.offset ?? -1)) continue;
      entries.push({ ...entry, count: observed });
      observed += 1;
    }
    entries = entries.slice(-entriesMaximum);
  }

  function draw() {
    if (!slot) return;
    const isFresh = slot.step === 0 && entries.length > 0 && slot.boundary.offset > entries.at(-1).offset;
    chart.draw({ entries, shown, horizon: slot.horizon ?? null, isFresh, cause: slot.boundary.cause });
  }

  function showScaler(values) {
    setText(scalerCount, `${count(values.count)} values`);
    scaler.rows.replaceChildren(...values.mean.map((mean, index) => h("tr", {},
      h("td", {}, String(index + 1)), h("td", { class: "number" }, measure(mean)),
      h("td", { class: "number" }, measure(values.scale[index])))));
  }

  function showRecent() {
    recent.rows.replaceChildren(...entries.slice(-tableRows).reverse().map((entry) => h("tr", {},
      h("td", {}, time(entry.time)), h("td", { class: "number" }, String(entry.offset)),
      h("td", { class: "number" }, count(entry.step)), h("td", { class: "number" }, measure(entry.value)),
      h("td", { class: "number" }, measure(entry.forecast)), h("td", { class: "number middle" }, measure(entry.low)),
      h("td", { class: "number middle" }, measure(entry.high)),
      h("td", { class: "number anomaly", "data-level": level(entry.anomaly) }, share(entry.anomaly)),
      h("td", {}, entry.boundary ?? ""))));
  }

  async function load() {
    try {
      take(await get(streamPath(key), closing.signal));
    } catch (error) {
      if (closing.signal.aborted) return;
      if (error.status === 404) take(null);
      else if (!slot) setText(note, `The stream cannot be shown: ${error.message}. Trying again.`);
    }
  }

  readWindow(parameters);
  load();
  return {
    element,
    take,
    navigate(query) {
      readWindow(query);
      draw();
    },
    update() { if (!slot && model.connection === "live" && note.textContent.endsWith("Trying again.")) load(); },
    tell([tone, text]) { told.replaceChildren(h("p", { class: `notice ${tone}` }, text)); },
    close() {
      closing.abort();
      chart.close();
    },
  };
}

function makeFacts() {
  const definitions = [
    ["Step", (slot) => count(slot.step)], ["Time (UTC)", (slot) => time(slot.time)],
    ["Next forecast", (slot) => measure(slot.forecast)],
    ["Anomaly", (slot) => share(slot.anomaly), (slot) => level(slot.anomaly)],
    ["Mean error", (slot) => measure(slot.error)], ["Model", (slot) => slot.model],
    ["Partition", (slot) => String(slot.partition)], ["Fence", (slot) => String(slot.offset)],
    ["Last boundary", (slot) => slot.boundary.cause], ["At (UTC)", (slot) => time(slot.boundary.time)],
    ["Before offset", (slot) => String(slot.boundary.offset)], ["Resets, any cause", (slot) => count(slot.resets)],
    ["Sequence", (slot) => slot.sequence ?? unknown], ["Saturation", (slot) => percent(slot.saturation)],
  ];
  const values = definitions.map(() => h("dd"));
  const element = h("dl", { class: "facts panel" },
    definitions.map(([title], index) => h("div", {}, h("dt", {}, title), values[index])));
  function update(slot) {
    definitions.forEach(([, text, mark], index) => {
      setText(values[index], text(slot));
      setAttributes(values[index], { "data-level": mark?.(slot) ?? null });
    });
  }
  return { element, update };
}

function makeNorms() {
  const list = table("Norms of the state, by layer", [
    { title: "Layer" }, { title: "Norm" }, { title: "Now", class: "number" },
    { title: "Since this page was opened", class: "spark-cell" },
  ], "fit");
  let rows = [];
  function row(layer, name) {
    const cell = h("td", { class: "number" });
    const spark = sparkline(132, 24);
    const trace = [];
    list.rows.append(h("tr", {}, h("td", {}, name === "h" ? String(layer + 1) : ""), h("td", {}, `‖${name}‖`), cell,
      h("td", { class: "spark-cell" }, spark.element)));
    return (norms) => {
      setText(cell, measure(norms[name][layer]));
      trace.push(norms[name][layer]);
      if (trace.length > normsMaximum) trace.shift();
      spark.draw(trace, normsMaximum);
    };
  }
  function update(slot) {
    // Another model may have other layers.
    if (rows.length !== 2 * slot.norms.h.length) {
      list.rows.replaceChildren();
      rows = slot.norms.h.flatMap((_, layer) => [row(layer, "h"), row(layer, "c")]);
    }
    for (const one of rows) one(slot.norms);
  }
  return { element: list.element, update };
}
