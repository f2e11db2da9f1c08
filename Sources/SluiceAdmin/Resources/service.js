// The service's API: requests, tokens and the stream of events.

const tokenName = "sluice-token";
/** The service sends something every 15 seconds at least. */
const silenceMaximum = 40_000;
const retryMaximum = 10_000;

/** An answer that is not what was asked for: a problem document, or that there was no answer. */
export class Problem extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

let askForToken = null;
let asked = null;

/** Sets what asks a person for a token: a function of the reason that promises the token. */
export function onTokenNeeded(ask) { askForToken = ask; }

export function hasToken() { return sessionStorage.getItem(tokenName) !== null; }

export function forgetToken() { sessionStorage.removeItem(tokenName); }

/** Asks for another token; once, however many requests wait for it. */
export function renewToken(reason) {
  asked ??= askForToken(reason).then((token) => {
    sessionStorage.setItem(tokenName, token);
    asked = null;
  });
  return asked;
}

async function send(path, options) {
  for (;;) {
    const token = sessionStorage.getItem(tokenName);
    const headers = token ? { ...options.headers, Authorization: `Bearer ${token}` } : options.headers;
    let response;
    try {
      response = await fetch(path, { ...options, headers, cache: "no-store" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem(0, "unreachable", "the service does not answer");
    }
    if (response.ok) return response;
    if (response.status === 401) {
      // Another request may have brought a new one meanwhile.
      if (sessionStorage.getItem(tokenName) === token) {
        await renewToken(token ? "The service refuses this token." : "The service asks who you are.");
      }
      continue;
    }
    let problem = {};
    try { problem = await response.json(); } catch { /* Not from the service itself: a proxy, perhaps. */ }
    throw new Problem(
      response.status, problem.code ?? "unknown", problem.detail ?? `the answer is ${response.status}`);
  }
}

export async function get(path, signal) {
  const response = await send(path, { signal, headers: { Accept: "application/json" } });
  return read(response);
}

/** Posts without a body; the answer's status tells 200 from 202. */
export async function post(path) {
  const response = await send(path, { method: "POST", headers: { Accept: "application/json" } });
  return { status: response.status, body: await read(response) };
}

async function read(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "unreachable", "the answer broke off");
  }
}

export function streamPath(key) { return `/v1/streams/${encodeURIComponent(key)}`; }

/**
 * Follows the service's events until it is closed, and comes again whenever they break off.
 *
 * `onEvent(name, data)` is called for each event, `onState(state, problem)` with `connecting`, `live` or `lost`.
 */
export function followEvents(stream, onEvent, onState) {
  const closing = new AbortController();
  let retry = 2000;

  async function connect() {
    const attempt = new AbortController();
    const abort = () => attempt.abort();
    closing.signal.addEventListener("abort", abort);
    let silence = setTimeout(abort, silenceMaximum);
    try {
      const path = stream === null ? "/v1/events" : `/v1/events?stream=${encodeURIComponent(stream)}`;
      const response = await send(path, { signal: attempt.signal, headers: { Accept: "text/event-stream" } });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(silence);
        silence = setTimeout(abort, silenceMaximum);
        const frames = (rest + value).split("\n\n");
        rest = frames.pop();
        for (const frame of frames) take(frame);
      }
    } finally {
      clearTimeout(silence);
      closing.signal.removeEventListener("abort", abort);
    }
  }

  function take(frame) {
    const fields = {};
    for (const line of frame.split("\n")) {
      const colon = line.indexOf(": ");
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
    }
    if (fields.retry) retry = Number(fields.retry);
    if (fields.event) {
      onState("live", null);
      onEvent(fields.event, JSON.parse(fields.data));
    }
  }

  async function run() {
    for (let failures = 0; !closing.signal.aborted; failures += 1) {
      if (failures === 0) onState("connecting", null);
      const began = Date.now();
      let problem = null;
      try {
        await connect();
      } catch (error) {
        if (closing.signal.aborted) return;
        problem = error instanceof Problem ? error : null;
      }
      if (closing.signal.aborted) return;
      onState("lost", problem);
      // A connection that held was no failure.
      if (Date.now() - began > retryMaximum) failures = 0;
      const wait = Math.min(retry * 1.5 ** failures, retryMaximum);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, wait);
        closing.signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
      });
    }
  }

  run();
  return { close() { closing.abort(); } };
}
