// What the pages share: building elements, asking the API, the key, the theme, copying, times, one more question before a loss.
import { fromJson, toJson } from "/assets/json.js";

export const $ = (selector, root = document) => root.querySelector(selector);

// An element. `attributes`: `onclick` and other functions become listeners, `class`, `title`, `aria-…` attributes; true is an
// attribute without a value, false and null are none; `value` and `checked` are set as properties. Children: text, numbers, elements
// and lists of them; null and false are left out. Text stays text.
export function el(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") node[name] = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
}

export function show(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
}

// --- The key: in this variable and nowhere else. Who listens is told of each change.
let key = "";
const listeners = new Set();

export const currentKey = () => key;

export function onKey(listener) {
  listeners.add(listener);
}

export function setKey(value) {
  key = value.trim();
  for (const listener of listeners) listener(key);
}

// --- Asking the API. `path` starts with a slash and is encoded already.
export class Refused extends Error {
  constructor(answer) {
    super(answer.data?.detail ?? (answer.status ? `The server answered ${answer.status}` : "The server cannot be reached"));
    this.answer = answer;
    this.status = answer.status;
    this.code = answer.data?.error ?? "unreachable";
  }
}

// The answer, whatever its status: {status, statusText, ok, ms, headers: [[name, value]], text, data}; status 0 where none came.
// `body` is a value to send as JSON, `text` a body as it is.
export async function send(method, path, { body, text, headers = {}, bearer = key, signal } = {}) {
  const content = text ?? (body === undefined ? undefined : toJson(body));
  const sent = { ...headers };
  if (bearer) sent.Authorization = `Bearer ${bearer}`;
  if (content !== undefined) sent["Content-Type"] = "application/json";
  const start = performance.now();
  try {
    const options = { method, headers: sent, body: content, signal, cache: "no-store", credentials: "omit", redirect: "error" };
    const response = await fetch(path, options);
    return await received(response, start);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    const ms = performance.now() - start;
    return { status: 0, statusText: "no answer", ok: false, ms, headers: [], text: String(problem.message), data: null };
  }
}

async function received(response, start) {
  const text = await response.text();
  const ms = performance.now() - start;
  let data = null;
  try {
    data = fromJson(text);
  } catch {
    // Nothing, or no JSON: `text` holds what came.
  }
  const { status, statusText, ok } = response;
  return { status, statusText, ok, ms, headers: [...response.headers], text, data };
}

// The `data` of a successful answer, else `Refused`. `whole` gives {data, total, etag, message, ms} instead.
export async function ask(method, path, options = {}) {
  const answer = await send(method, path, options);
  if (!answer.ok) throw new Refused(answer);
  if (!options.whole) return answer.data.data;
  const named = Object.fromEntries(answer.headers);
  const total = "x-total-count" in named ? Number(named["x-total-count"]) : null;
  return { data: answer.data.data, message: answer.data.message, total, etag: named.etag ?? null, ms: answer.ms };
}

// A path out of text with {names}; the values may hold anything but dots alone, which a browser takes for a step up, however encoded.
export function fill(path, values) {
  return path.replace(/\{(\w+)\}/g, (whole, name) => (values[name] ? segment(String(values[name])) : whole));
}

function segment(value) {
  if (/^\.{1,2}$/.test(value)) throw new Error(`Nothing is called “${value}”`);
  return encodeURIComponent(value).replace(/%40/g, "@");
}

// --- The field for the key, in the bar of a page.
export function keyField() {
  const input = el("input", {
    type: "password", id: "key", name: "key", autocomplete: "off", spellcheck: "false", placeholder: "smga_… or smg_…", required: true,
  });
  const said = el("span", { class: "key-said", role: "status" });
  const use = el("button", { type: "submit", class: "primary" }, "Use key");
  const forget = el("button", { type: "button", hidden: true, onclick: () => setKey("") }, "Forget key");
  const label = el("label", { for: "key", class: "visually-hidden" }, "API key");
  const form = el("form", { class: "key-field", onsubmit: (event) => take(event) }, label, input, use, said, forget);

  async function take(event) {
    event.preventDefault();
    const given = input.value.trim();
    const answer = await send("GET", "/api/v1/whoami", { bearer: given });
    if (answer.ok) {
      input.value = "";
      setKey(given);
      show(said, whose(answer.data.data));
    } else {
      show(said, new Refused(answer).message);
      said.classList.add("bad");
      input.select();
    }
  }

  onKey((now) => {
    input.hidden = use.hidden = label.hidden = Boolean(now);
    forget.hidden = !now;
    said.classList.remove("bad");
    said.title = now ? "The key is kept in this page's memory only and asked for again after a reload" : "";
    if (!now) show(said);
  });
  return form;
}

const whose = (data) => `${data.kind === "admin" ? "Admin key" : "User"} ${data.name ?? data.email}`;

// --- The theme: theme.js follows the system until this is pressed.
export function themeSwitch() {
  const label = "Switch between light and dark";
  return el("button", { type: "button", class: "theme-switch", "aria-label": label, title: label, onclick: turn });
}

function turn() {
  const { dataset } = document.documentElement;
  dataset.theme = dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("theme", dataset.theme);
  } catch {
    // Then it holds for this page.
  }
}

// --- Copying. Pages that came without TLS from another machine have no clipboard of their own.
export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = el("textarea", { class: "visually-hidden", value: text });
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser does not let this page copy");
}

// `content` gives the text when the button is pressed.
export function copyButton(content, label = "Copy") {
  const button = el("button", { type: "button", class: "copy", onclick: () => press() }, label);
  async function press() {
    try {
      await copy(content());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied";
    }
    setTimeout(() => (button.textContent = label), 1500);
  }
  return button;
}

// --- Times and numbers in the reader's way; the exact UTC is in the title.
export function time(text) {
  if (!text) return el("span", { class: "faint" }, "never");
  const moment = new Date(text);
  const local = Number.isNaN(moment.getTime()) ? text : moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return el("time", { datetime: text, title: text.replace("+00:00", " UTC").replace("T", " ") }, local);
}

export const number = (value) => value.toLocaleString();

// --- One more question before something is lost: true where it was answered with `verb`. `lost` is a list of what goes.
export function confirmLoss({ title, lost, verb }) {
  const yes = el("button", { type: "button", class: "danger", onclick: () => dialog.close("yes") }, verb);
  const no = el("button", { type: "button", autofocus: true, onclick: () => dialog.close("no") }, "Cancel");
  const list = el("ul", {}, lost.map((line) => el("li", {}, line)));
  const heading = el("h2", { id: "confirm-title" }, title);
  const dialog = el("dialog", { "aria-labelledby": "confirm-title" }, heading, list, el("div", { class: "buttons" }, no, yes));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    }),
  );
}
