// The chart of one stream: observations, the forecasts made for them with their interval, anomaly, boundaries.

import { h, s, setAttributes } from "./elements.js";
import { count, level, measure, share, time, unknown } from "./format.js";

const plotHeight = 250;
const stripHeight = 36;
const [top, gap, bottom] = [20, 10, 20];
/** Where the anomaly's bars stand. */
const base = top + plotHeight + gap + stripHeight;
const height = base + bottom;
/** Closer markers go without their names. */
const labelDistance = 44;

/** What stands at one place: an observation, the forecast that was made for it, or both. */
function places(entries, shown, horizon, isFresh) {
  const first = Math.max(0, entries.length - shown);
  const ahead = horizon === null || isFresh ? 0 : horizon;
  const result = [];
  for (let index = first; index < entries.length + ahead; index += 1) {
    const entry = entries[index] ?? null;
    const source = horizon === null ? null : entries[index - horizon];
    result.push({ entry, forecast: source && reaches(entries, index, horizon) ? source : null });
  }
  return result;
}

/** Whether the forecast made `horizon` observations before is for this one: no boundary and no gap lies between. */
function reaches(entries, index, horizon) {
  const last = Math.min(index, entries.length - 1);
  for (let between = index - horizon + 1; between <= last; between += 1) {
    if (entries[between].boundary !== null || entries[between].step !== entries[between - 1].step + 1) return false;
  }
  return true;
}

const isKnown = (value) => value !== null && value !== undefined;

/** Round values that divide a range into about `wanted` parts. */
function ticks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= rough);
  const result = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) result.push(value);
  return { values: result, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

function path(points) {
  let text = "";
  let isPenDown = false;
  for (const point of points) {
    if (point !== null) text += `${isPenDown ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    isPenDown = point !== null;
  }
  return text;
}

/** The areas between two lines, one for each stretch in which both are known. */
function band(points) {
  const stretches = [];
  let stretch = [];
  for (const point of [...points, null]) {
    if (point !== null) stretch.push(point);
    else if (stretch.length > 0) { stretches.push(stretch); stretch = []; }
  }
  return stretches.map((list) => {
    // What stands alone gets a width.
    const edge = list.length > 1 ? list : [-2, 2].map((shift) => [list[0][0] + shift, list[0][1], list[0][2]]);
    const upper = edge.map(([x, , high]) => `${x.toFixed(1)} ${high.toFixed(1)}`);
    const lower = [...edge].reverse().map(([x, low]) => `${x.toFixed(1)} ${low.toFixed(1)}`);
    return `M${[...upper, ...lower].join("L")}Z`;
  }).join("");
}

export function streamChart() {
  const drawing = s("svg", { class: "chart", height, tabindex: "0", role: "img", "aria-labelledby": "readout" });
  const readout = h("dl", { class: "readout", id: "readout" });
  const legend = h("ul", { class: "legend", "aria-label": "Legend" },
    [["observed", "Observed"], ["forecast", "Forecast"], ["interval", "Interval"], ["boundary", "Boundary"],
      ["command", "Reset by command"], ["swap", "Another model"]]
      .map(([name, title]) => h("li", { class: name }, title)));
  const element = h("div", { class: "chart-box" }, legend, drawing, readout);
  const cursor = s("line", { class: "cursor" });

  let data = null;
  let list = [];
  let left = 0;
  let step = 1;
  /**
   * The place that is read out; null: the latest observation. A pointer stays where it is while the chart moves under
   * it, the keys stay with the observation that they came to.
   */
  let picked = null;

  const x = (index) => left + (index + 0.5) * step;

  function draw(next) {
    data = next ?? data;
    const width = element.clientWidth;
    if (!data || width === 0) return;
    list = places(data.entries, data.shown, data.horizon, data.isFresh);
    const values = list
      .flatMap(({ entry, forecast }) => [entry?.value, forecast?.forecast, forecast?.low, forecast?.high])
      .filter(isKnown);
    drawing.setAttribute("width", width);
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    if (values.length === 0) {
      const text = "No observation is remembered yet.";
      drawing.replaceChildren(s("text", { x: width / 2, y: height / 2, class: "nothing" }, text));
      readout.replaceChildren();
      return;
    }
    let [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = high > low ? (high - low) * 0.06 : Math.abs(high) * 0.1 || 1;
    [low, high] = [low - margin, high + margin];
    const scale = ticks(low, high, 5);
    const labels = scale.values.map((value) => value.toFixed(scale.decimals));
    left = Math.max(width < 480 ? 40 : 58, 12 + 7 * Math.max(...labels.map((label) => label.length)));
    step = (width - left - 6) / list.length;
    const y = (value) => top + ((high - value) / (high - low)) * plotHeight;
    drawing.replaceChildren(
      ...scale.values.map((value, index) => s("g", { class: "tick" },
        s("line", { x1: left, x2: width - 6, y1: y(value), y2: y(value) }),
        s("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, labels[index]))),
      ...timeTicks(width), ...markers(width), ...lines(y), ...strip(width), cursor);
    read();
  }

  function lines(y) {
    /** Where something is known of a place, by its index. */
    const known = (make) => list.map((one, index) => make(one, x(index)));
    const observed = known(({ entry }, at) => (isKnown(entry?.value) ? [at, y(entry.value)] : null));
    const forecast = known(({ forecast: one }, at) => (isKnown(one?.forecast) ? [at, y(one.forecast)] : null));
    const interval = known(({ forecast: one }, at) =>
      (isKnown(one?.low) && isKnown(one?.high) ? [at, y(one.low), y(one.high)] : null));
    const points = step > 7 ? observed.filter((point) => point !== null) : [];
    return [
      s("path", { class: "interval", d: band(interval) }), s("path", { class: "forecast", d: path(forecast) }),
      s("path", { class: "observed", d: path(observed) }),
      ...points.map(([cx, cy]) => s("circle", { class: "observed-point", cx, cy, r: 2 })),
    ];
  }

  function timeTicks(width) {
    const known = list.filter(({ entry }) => entry?.time);
    if (known.length === 0) return [];
    const span = Date.parse(known.at(-1).entry.time) - Date.parse(known[0].entry.time);
    const [from, to] = span > 86_400_000 ? [5, 16] : span > 900_000 ? [11, 16] : [11, 19];
    const text = (value) => value.slice(from, to).replace("T", " ");
    const every = Math.max(1, Math.ceil((30 + 7 * (to - from)) / step));
    const result = [];
    list.forEach(({ entry }, index) => {
      // Counted in observations, so that a tick moves with its observation.
      if (!entry?.time || entry.count % every !== 0 || x(index) > width - 36 || x(index) < left + 30) return;
      result.push(s("text", { class: "time", x: x(index), y: height - 5, "text-anchor": "middle" }, text(entry.time)));
    });
    return result;
  }

  function markers(width) {
    const result = [];
    let named = -labelDistance;
    const add = (at, cause) => {
      const kind = cause === "command" || cause === "swap" ? cause : "boundary";
      result.push(s("line", { class: `marker ${kind}`, x1: at, x2: at, y1: top - 4, y2: base }));
      const isLast = at > width - labelDistance;
      if (kind === "boundary") {
        if (at - named < labelDistance || isLast) return;
        named = at;
      }
      // What was commanded is named in the plot, where nothing of the calendar's is in its way.
      result.push(s("text", {
        class: `marker ${kind}`, x: isLast ? at - 4 : at + 4, y: kind === "boundary" ? top - 7 : top + 8,
        "text-anchor": isLast ? "end" : "start",
      }, cause === "command" ? "reset" : cause));
    };
    list.forEach(({ entry }, index) => { if (entry?.boundary) add(x(index) - step / 2, entry.boundary); });
    if (data.isFresh) add(x(list.length - 1) + step / 2 + 1, data.cause);
    return result;
  }

  function strip(width) {
    const name = width < 480 ? "anom." : "anomaly";
    return [
      s("line", { class: "strip-base", x1: left, x2: width - 6, y1: base, y2: base }),
      s("text", { class: "strip-name", x: left - 6, y: base - stripHeight / 2 + 4, "text-anchor": "end" }, name),
      ...list.map(({ entry }, index) => {
        if (!entry || entry.anomaly === null) return null;
        const size = Math.max(1, entry.anomaly * stripHeight);
        return s("rect", {
          class: "anomaly", "data-level": level(entry.anomaly), x: x(index) - Math.max(0.5, step * 0.4), y: base - size,
          width: Math.max(1, step * 0.8), height: size,
        });
      }).filter((bar) => bar !== null),
    ];
  }

  function read() {
    const index = place();
    const { entry, forecast } = list[index];
    const at = picked === null ? -9 : x(index);
    for (const [name, value] of Object.entries({ x1: at, x2: at, y1: top, y2: base })) {
      cursor.setAttribute(name, value);
    }
    const interval = isKnown(forecast?.low) ? `${measure(forecast.low)} to ${measure(forecast.high)}` : unknown;
    const facts = [
      [entry ? (picked === null ? "Latest" : "Time") : "Ahead", entry ? time(entry.time) : "not observed yet"],
      ["Observed", entry ? measure(entry.value) : unknown],
      ["Forecast", forecast ? measure(forecast.forecast) : unknown], ["Interval", interval],
      ["Anomaly", entry ? share(entry.anomaly) : unknown], ["Step", entry ? count(entry.step) : unknown],
      ["Offset", entry ? String(entry.offset) : unknown], ["Boundary", entry?.boundary ?? unknown],
    ];
    readout.replaceChildren(...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  function place() {
    if (picked === null) return list.findLastIndex(({ entry }) => entry !== null);
    if (picked.count === null) return Math.min(picked.index, list.length - 1);
    return Math.max(0, list.findIndex(({ entry }) => entry?.count === picked.count));
  }

  function pick(index, isPinned = false) {
    if (list.length === 0) return;
    const within = index === null ? null : Math.min(Math.max(0, index), list.length - 1);
    picked = index === null ? null : { index: within, count: isPinned ? list[within].entry?.count ?? null : null };
    // Read aloud where someone goes through it, not each time it changes by itself.
    setAttributes(readout, { "aria-live": isPinned ? "polite" : null });
    read();
  }

  drawing.addEventListener("pointermove", (event) => {
    pick(Math.floor((event.clientX - drawing.getBoundingClientRect().left - left) / step));
  });
  drawing.addEventListener("pointerleave", () => pick(null));
  drawing.addEventListener("blur", () => pick(null));
  drawing.addEventListener("keydown", (event) => {
    if (list.length === 0) return;
    const from = place();
    const places = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: list.length - 1 };
    if (event.key === "Escape") pick(null);
    if (!(event.key in places)) return;
    event.preventDefault();
    pick(places[event.key], true);
  });

  const observer = new ResizeObserver(() => draw(null));
  observer.observe(element);
  return { element, draw, close() { observer.disconnect(); } };
}
