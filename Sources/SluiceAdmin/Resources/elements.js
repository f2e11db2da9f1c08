// Makes and changes elements. Text stays text: nothing here turns a string into markup.

/** An element of HTML. `on…` properties are listeners, `class` and what has a dash are attributes. */
export function h(name, properties, ...children) {
  return fill(document.createElement(name), properties, children);
}

/** An element of SVG. */
export function s(name, properties, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets a text only where it differs, so that a selection and the reader's place survive. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

/** A stream's key, which may break behind its separators. */
export function keyText(key) {
  return key.split(/(?<=[/._:-])/).flatMap((part, index) => (index === 0 ? [part] : [h("wbr"), part]));
}

/** A link to the page of a stream. */
export function streamLink(key) {
  return h("a", { href: `#/stream/${encodeURIComponent(key)}` }, keyText(key));
}

/** A table with the given columns: `{title, class}`; `rows` is its body. */
export function table(caption, columns, kind) {
  const rows = h("tbody");
  const head = h("tr", {}, columns.map((column) => h("th", { scope: "col", class: column.class }, column.title)));
  const element = h("div", { class: "scroll" },
    h("table", { class: kind }, h("caption", { class: "unseen" }, caption), h("thead", {}, head), rows));
  return { element, rows };
}

/**
 * A small line of values, the latest on the right; nulls are gaps. With `fromZero` its height is a share of the
 * largest, else it shows the form only.
 */
export function sparkline(width, height, fromZero = false) {
  const area = fromZero ? s("path", { class: "spark-area" }) : null;
  const line = s("path", { class: "spark-line" });
  const last = s("circle", { class: "spark-last", r: 1.8, cx: -9, cy: 0 });
  const view = `0 0 ${width} ${height}`;
  const element = s("svg", { class: "spark", viewBox: view, "aria-hidden": "true" }, area, line, last);
  const bottom = height - 3;
  /** `count`: how many values fill the width; fewer are stretched to it, as long as they are not too few. */
  function draw(values, count) {
    const places = Math.max(values.length, Math.min(count, 24));
    const known = values.filter((value) => value !== null);
    const [low, high] = [fromZero ? 0 : Math.min(...known), Math.max(...known)];
    const flat = fromZero ? bottom : height / 2;
    const x = (index) => width - 3 - ((values.length - 1 - index) * (width - 6)) / (places - 1);
    const y = (value) => (high > low ? bottom - ((value - low) * (height - 6)) / (high - low) : flat);
    let path = "";
    let shape = "";
    let isPenDown = false;
    values.forEach((value, index) => {
      const at = x(index).toFixed(1);
      if (value !== null) path += `${isPenDown ? "L" : "M"}${at} ${y(value).toFixed(1)}`;
      shape += `L${at} ${(value === null ? bottom : y(value)).toFixed(1)}`;
      isPenDown = value !== null;
    });
    const end = values.at(-1) ?? null;
    setAttributes(line, { d: path });
    if (area && known.length > 0) setAttributes(area, { d: `M${x(0)} ${bottom}${shape}L${width - 3} ${bottom}Z` });
    setAttributes(last, { cx: end === null ? -9 : width - 3, cy: end === null ? 0 : y(end).toFixed(1) });
  }
  return { element, draw };
}
