// Joins the parts: which page the address names, the events that every page shows, the two dialogs.

import { h, keyText, setAttributes, setText } from "./elements.js";
import { sentence, time } from "./format.js";
import { followEvents, forgetToken, hasToken, onTokenNeeded, post, renewToken, streamPath } from "./service.js";
import { overviewPage } from "./overview.js";
import { streamPage } from "./stream.js";
import { streamsPage } from "./streams.js";

const auditMaximum = 100;
const traceMaximum = 300;
/** An overview comes every second; one that is older than this is called old. */
const freshMilliseconds = 5000;

const byId = (id) => document.getElementById(id);

/** What the events told, shared by the pages. */
const model = {
  overview: null,
  overviewAt: 0,
  /** Overviews since this page was opened, oldest first. */
  trace: [],
  /** Newest first. */
  audit: [],
  connection: "connecting",
  problem: null,
  lostAt: null,
};

let page = null;
let events = null;
let followed;

// The address: #/, #/streams?prefix=…&after=…, #/stream/KEY?last=…

function route() {
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  const parts = path.split("/").filter((part) => part !== "");
  const parameters = new URLSearchParams(query ?? "");
  if (parts[0] === "streams") return { name: "streams", key: null, parameters };
  if (parts[0] === "stream" && parts.length === 2) {
    try {
      return { name: "stream", key: decodeURIComponent(parts[1]), parameters };
    } catch { /* Not an address that this page wrote. */ }
  }
  return { name: "overview", key: null, parameters };
}

const pages = { overview: overviewPage, streams: streamsPage, stream: streamPage };
let shown = null;

function navigate() {
  const next = route();
  if (page && shown.name === next.name && shown.key === next.key) {
    shown = next;
    page.navigate?.(next.parameters);
    return;
  }
  const isFirst = page === null;
  page?.close?.();
  shown = next;
  page = pages[next.name]({ key: next.key, parameters: next.parameters, model, reset: askReset });
  byId("view").replaceChildren(page.element);
  const title = { overview: "", streams: "Streams · ", stream: `${next.key} · ` }[next.name];
  document.title = `${title}Sluice`;
  for (const link of document.querySelectorAll("nav a")) {
    const isCurrent = link.dataset.page === next.name || (link.dataset.page === "streams" && next.name === "stream");
    setAttributes(link, { "aria-current": isCurrent ? "page" : null });
  }
  if (!isFirst) {
    window.scrollTo(0, 0);
    byId("view").focus({ preventScroll: true });
  }
  follow(next.key);
  page.update?.(model);
}

// Events. One connection a tab, and none while nobody looks: browsers allow six to a service.

function follow(key) {
  if (events && followed === key) return;
  events?.close();
  followed = key;
  if (document.hidden) {
    events = null;
    return;
  }
  events = followEvents(key, take, (state, problem) => {
    if (model.connection === state && model.problem === problem) return;
    if (state === "lost" && model.lostAt === null) model.lostAt = new Date();
    if (state === "live") model.lostAt = null;
    model.connection = state;
    model.problem = problem;
    showConnection();
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    events?.close();
    events = null;
  } else {
    follow(followed);
  }
});

function take(name, data) {
  if (name === "overview") {
    model.overview = data;
    model.overviewAt = Date.now();
    model.trace.push(data);
    if (model.trace.length > traceMaximum) model.trace.shift();
    showConnection();
    page.update?.(model);
  } else if (name === "audit") {
    // The history comes again with each connection.
    if (model.audit.some((event) => event.id === data.id && event.partition === data.partition)) return;
    model.audit.push(data);
    model.audit.sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
    model.audit.length = Math.min(model.audit.length, auditMaximum);
    page.update?.(model);
  } else if (name === "stream") {
    page.take?.(data);
  }
}

function showConnection() {
  const element = byId("connection");
  const age = Date.now() - model.overviewAt;
  let [state, text] = [model.connection, "Connecting"];
  if (state === "lost") text = model.problem?.code === "events-full" ? "No live updates" : "Disconnected";
  if (state === "live") {
    const isOld = model.overview !== null && age > freshMilliseconds;
    [state, text] = isOld ? ["old", `No news for ${Math.round(age / 1000)} s`] : ["live", "Live"];
  }
  setAttributes(element, { "data-state": state });
  setText(element, text);
  document.body.classList.toggle("stale", state === "lost" || state === "old");
  setText(byId("instance"), model.overview?.instance ?? "");
  byId("forget").hidden = !hasToken();
  showNotices();
}

setInterval(showConnection, 1000);

let noticed = "";

function showNotices() {
  const notices = [];
  if (model.connection === "lost") {
    const since = model.lostAt.toISOString().slice(11, 19);
    const seen = model.overview ? ` What is shown is as of ${time(model.overview.time).slice(0, 19)} UTC.` : "";
    const why = model.problem ? `: ${model.problem.message}` : "";
    notices.push(["bad", `Disconnected since ${since} UTC${why}. Trying again.${seen}`]);
  }
  for (const reason of model.overview?.reasons ?? []) notices.push(["warn", `Not ready: ${reason}.`]);
  if (model.overview?.retraining) notices.push(["info", sentence(model.overview.retraining)]);
  const text = JSON.stringify(notices);
  if (text === noticed) return;
  noticed = text;
  byId("notices").replaceChildren(...notices.map(([tone, line]) => h("p", { class: `notice ${tone}` }, line)));
}

// The reset asks first.

let resetKey = null;

function askReset(key) {
  resetKey = key;
  byId("reset-key").replaceChildren(...keyText(key));
  byId("reset-outcome").hidden = true;
  byId("reset-token").hidden = true;
  settle(false);
  byId("reset").showModal();
  byId("reset-cancel").focus();
}

/** Between question and answer nothing can be pressed twice. */
function settle(isBusy) {
  byId("reset-confirm").disabled = isBusy;
  byId("reset-cancel").disabled = isBusy;
  setText(byId("reset-confirm"), isBusy ? "Waiting for the worker…" : "Reset stream");
}

byId("reset-cancel").addEventListener("click", () => byId("reset").close());
byId("reset-token").addEventListener("click", async () => {
  await renewToken("Another token, of the role admin, may reset streams.");
  byId("reset-token").hidden = true;
  byId("reset-outcome").hidden = true;
});
byId("reset").addEventListener("cancel", (event) => { if (byId("reset-confirm").disabled) event.preventDefault(); });
byId("reset").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = resetKey;
  settle(true);
  try {
    const { status, body } = await post(`${streamPath(key)}/reset`);
    byId("reset").close();
    page.tell?.(
      status === 202
        ? ["warn", `The reset is recorded (${body.id}) but was not applied within ten seconds. It will be.`]
        : ["good", `Reset: partition ${body.partition} folds from the fresh state at offset ${body.offset}.`]);
  } catch (error) {
    const isViewer = error.status === 403 && error.code !== "origin-foreign";
    setText(byId("reset-outcome"), isViewer ? "This token may only look." : `Not reset: ${error.message}.`);
    byId("reset-outcome").hidden = false;
    byId("reset-token").hidden = !isViewer;
  } finally {
    settle(false);
  }
});

// The token is asked for when the service wants one.

onTokenNeeded((reason) => {
  setText(byId("token-reason"), reason);
  byId("token-text").value = "";
  byId("token").showModal();
  return new Promise((resolve) => {
    byId("token").querySelector("form").onsubmit = (event) => {
      event.preventDefault();
      const token = byId("token-text").value.trim();
      if (token === "") return;
      byId("token").close();
      resolve(token);
    };
  });
});
byId("token").addEventListener("cancel", (event) => event.preventDefault());
byId("forget").addEventListener("click", () => {
  forgetToken();
  location.reload();
});

document.querySelector(".skip").addEventListener("click", (event) => {
  // The address names the page, not a place in it.
  event.preventDefault();
  byId("view").focus();
});
window.addEventListener("hashchange", navigate);
navigate();
