// Numbers and times as they are shown. What is not known is a dash, never a zero.

export const unknown = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const three = new Intl.NumberFormat("en", { minimumFractionDigits: 3, maximumFractionDigits: 3 });

export function count(value) {
  return value === null || value === undefined ? unknown : whole.format(value);
}

/** Without separators: offsets are copied into commands. */
export function offset(value) {
  return value === null || value === undefined ? unknown : String(value);
}

/** A measured value: three decimals, so that columns align, and powers of ten where those would say nothing. */
export function measure(value) {
  if (value === null || value === undefined) return unknown;
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 1e7) ? value.toExponential(2) : three.format(value);
}

/** In [0, 1]. */
export function share(value) {
  return value === null || value === undefined ? unknown : value.toFixed(3);
}

export function percent(value) {
  return value === null || value === undefined ? unknown : `${(100 * value).toFixed(1)} %`;
}

export function rate(value) {
  if (value === null || value === undefined) return unknown;
  return value < 100 ? value.toFixed(1) : whole.format(value);
}

export function milliseconds(value) {
  if (value === null || value === undefined) return unknown;
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : whole.format(value);
}

/** A length of time, in its two largest units at most. */
export function duration(value) {
  if (value === null || value === undefined) return unknown;
  const seconds = Math.max(0, Math.round(value / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `2026-01-01T00:05:00Z` as `2026-01-01 00:05:00`: UTC, as the service has it. */
export function time(text) {
  return text ? text.replace("T", " ").replace("Z", "") : unknown;
}

/** The hour of it only. */
export function clock(text) {
  return text ? text.slice(11, 19) : unknown;
}

/** What the service says of itself, as a sentence. */
export function sentence(text) {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

export function plural(number, one, many) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** How much an anomaly in [0, 1] is worth a look. */
export function level(anomaly) {
  if (anomaly === null || anomaly < 0.95) return null;
  return anomaly < 0.99 ? "raised" : "high";
}
