// The page of the service as a whole: its figures, its partitions, what was done to it.

import { h, setAttributes, setText, sparkline, streamLink, table } from "./elements.js";
import {
  clock, count, duration, milliseconds, offset, percent, plural, rate, sentence, time, unknown,
} from "./format.js";
import { get } from "./service.js";

const partitionsInterval = 2000;
const traceLength = 120;
/** Swaps to the same model that are no further apart belong together. */
const swapMilliseconds = 60_000;

/** What a tile shows: `value` and `detail` of an overview, `trace` the number that is drawn, `tone` what it says. */
const tiles = [
  {
    title: "Observations", unit: "/s", value: (o) => rate(o.rate), trace: (o) => o.rate, wide: true,
    detail: (o) => `${count(o.predictions)} predictions since start`,
  },
  {
    title: "Latency p99", unit: "ms", value: (o) => milliseconds(o.latency_ms?.p99),
    trace: (o) => o.latency_ms?.p99 ?? null, wide: true,
    detail: (o) => (o.latency_ms
      ? `p50 ${milliseconds(o.latency_ms.p50)} ms, last minute` : "nothing in the last minute"),
  },
  {
    title: "Lag", unit: "records", value: (o) => count(o.lag), trace: (o) => o.lag, wide: true,
    detail: (o) => ({ null: "the partitions' ends are not known yet", 0: "caught up" }[o.lag] ?? "not folded yet"),
  },
  { title: "Streams", value: (o) => count(o.streams), detail: () => "with state in memory" },
  {
    title: "Partitions live", value: (o) => `${o.partitions.live} / ${o.partitions.owned}`,
    detail: (o) => (o.partitions.all > o.partitions.owned
      ? `${o.partitions.all - o.partitions.owned} of ${o.partitions.all} are with other instances`
      : "all are owned here"),
    tone: (o) => (o.partitions.live < o.partitions.owned ? "warn" : null),
  },
  {
    title: "Rejects", value: (o) => count(o.rejects), detail: () => "since start",
    tone: (o) => (o.rejects > 0 ? "warn" : null),
  },
  {
    title: "Boundaries", value: (o) => count(o.boundaries),
    detail: (o) => `${plural(o.resets, "reset", "resets")} by command`,
  },
  {
    title: "Active model", value: (o) => o.model ?? unknown, text: true,
    detail: (o) => (o.model === null ? "none yet" : o.last_retraining === null ? "not retrained since start" : ""),
  },
];

function tile(definition) {
  const value = h("span", { class: "value" }, unknown);
  const detail = h("p", { class: "detail" }, " ");
  const spark = definition.trace ? sparkline(190, 46, true) : null;
  const element = h("div", { class: `tile${definition.wide ? " wide" : ""}${definition.text ? " text" : ""}` },
    h("h3", {}, definition.title),
    h("p", { class: "figure" }, value, definition.unit ? h("span", { class: "unit" }, ` ${definition.unit}`) : null),
    detail, spark?.element);
  function update(overview, trace) {
    setText(value, definition.value(overview));
    setText(detail, definition.detail(overview));
    setAttributes(element, { "data-tone": definition.tone?.(overview) ?? null });
    spark?.draw(trace.slice(-traceLength).map(definition.trace), traceLength);
  }
  return { element, update };
}

export function overviewPage({ model }) {
  const made = tiles.map(tile);
  const partitions = table("Partitions of the input", [
    { title: "Partition" }, { title: "State" }, { title: "Lag", class: "number" },
    { title: "Next offset", class: "number" }, { title: "End", class: "number wide-only" },
    { title: "Checkpoint", class: "number" }, { title: "Owner", class: "wide-only" },
  ]);
  const partitionsNote = h("p", { class: "empty" }, "Loading…");
  const audit = table("Audit", [
    { title: "Time (UTC)" }, { title: "What" }, { title: "Of" }, { title: "Partition/offset", class: "number" },
    { title: "By", class: "wide-only" },
  ]);
  const retrained = h("p", { class: "aside", hidden: true });
  const auditNote = h("p", { class: "empty" }, "");
  const element = h("div", {},
    h("h1", { class: "unseen" }, "Overview"),
    h("section", { class: "tiles", "aria-label": "Figures" }, made.map((one) => one.element)),
    retrained,
    h("div", { class: "columns" },
      h("section", { class: "panel" }, h("h2", {}, "Partitions"), partitions.element, partitionsNote),
      h("section", { class: "panel" }, h("h2", {}, "Audit"), audit.element, auditNote)));

  const closing = new AbortController();
  let timer = null;
  async function loadPartitions() {
    try {
      if (!document.hidden) showPartitions((await get("/v1/partitions", closing.signal)).partitions);
    } catch (error) {
      if (closing.signal.aborted) return;
      setText(partitionsNote, `The partitions cannot be listed: ${error.message}.`);
      partitionsNote.hidden = false;
      partitions.element.hidden = partitions.rows.children.length === 0;
    }
    if (!closing.signal.aborted) timer = setTimeout(loadPartitions, partitionsInterval);
  }

  function showPartitions(list) {
    partitions.element.hidden = list.length === 0;
    partitionsNote.hidden = list.length > 0;
    setText(partitionsNote, "This instance owns no partition yet.");
    partitions.rows.replaceChildren(...list.map((one) => h("tr", {},
      h("td", {}, String(one.partition)),
      h("td", {}, h("span", { class: `badge ${one.state}` },
        one.state === "live" ? "live" : `restoring ${percent(one.progress)}`)),
      h("td", { class: "number" }, count(one.lag)),
      h("td", { class: "number" }, offset(one.offset)),
      h("td", { class: "number wide-only" }, offset(one.end)),
      h("td", { class: "number" }, one.checkpoint_age_ms === null ? unknown : `${duration(one.checkpoint_age_ms)} ago`),
      h("td", { class: "wide-only" }, one.owner ?? unknown))));
  }

  let shownAudit = null;
  function showAudit() {
    if (shownAudit === model.audit.length + (model.audit[0]?.id ?? "")) return;
    shownAudit = model.audit.length + (model.audit[0]?.id ?? "");
    audit.element.hidden = model.audit.length === 0;
    auditNote.hidden = model.audit.length > 0;
    audit.rows.replaceChildren(...grouped(model.audit).map((event) => h("tr", {},
      h("td", { title: time(event.time) }, clock(event.time)),
      h("td", { class: event.type === "refused" ? "key" : "" },
        h("span", { class: `badge ${event.type}` }, event.type), event.cause ? ` ${event.cause}` : null),
      h("td", { class: "key" }, target(event)),
      h("td", { class: "number", title: places(event.places) },
        event.places.length > 2 ? plural(event.places.length, "partition", "partitions") : places(event.places)),
      h("td", { class: "wide-only" }, event.by))));
  }

  loadPartitions();
  return {
    element,
    update() {
      if (model.overview) for (const one of made) one.update(model.overview, model.trace);
      const last = model.overview?.last_retraining ?? null;
      retrained.hidden = last === null;
      setText(retrained, last === null ? "" : `Last retraining: ${sentence(last)}`);
      showAudit();
      setText(auditNote, model.overview ? "Nothing has been reset, imported or swapped." : "Loading…");
    },
    close() {
      closing.abort();
      clearTimeout(timer);
    },
  };
}

/** What was done to several partitions by one wish is one line: a command has one id, a swap one for each partition. */
function grouped(events) {
  const groups = [];
  for (const event of events) {
    const group = groups.find((one) => isSame(one, event));
    if (group) group.places.push([event.partition, event.offset]);
    else groups.push({ ...event, places: [[event.partition, event.offset]] });
  }
  return groups;
}

function isSame(group, event) {
  if (group.places.some(([partition]) => partition === event.partition)) return false;
  if (event.type !== "swap") return group.type === event.type && group.id === event.id;
  return group.type === "swap" && group.model === event.model && group.previous === event.previous
    && Math.abs(Date.parse(group.time) - Date.parse(event.time)) < swapMilliseconds;
}

function places(list) {
  return [...list].sort((a, b) => a[0] - b[0]).map((place) => place.join("/")).join(", ");
}

function target(event) {
  if (event.stream !== null) return streamLink(event.stream);
  if (event.prefix !== null) return event.prefix === "" ? "every stream" : `${event.prefix}…`;
  if (event.model === null) return "every stream";
  return event.previous === null ? `to ${event.model}` : `${event.previous} → ${event.model}`;
}
