// "Try it": the fields of an operation, the request as code, and the answer that came.
import { ask, confirmLoss, copyButton, currentKey, el, fill, number, onKey, send, show } from "/assets/common.js";
import { fromJson, toJson } from "/assets/json.js";
import { LANGUAGES, languageChoice, withQuery } from "/assets/request-code.js";
import { jsonCode } from "/assets/schema.js";

const MOST_SHOWN = 100_000; // characters of an answer
const SHOWN_LOSSES = 6;

// What was last typed for a name in a path, in any operation; the language last looked at; the version last read.
const typed = new Map();
let language = "curl";
let version = "";
let count = 0;

export class Trial {
  constructor(operation) {
    this.operation = operation;
    this.number = ++count;
    this.fields = new Map();
    this.code = el("pre", { tabindex: "0", "aria-label": "The request as code" });
    this.wrong = el("p", { class: "wrong", role: "alert", id: `wrong-${this.number}` });
    this.result = el("div", { class: "result", role: "status" });
    this.go = el("button", { type: "submit", class: operation.loses ? "danger" : "primary" }, "Send");
    this.form = this.built();
    onKey(() => this.refresh());
    this.refresh();
  }

  built() {
    const inputs = this.operation.parameters.map((parameter) => this.input(parameter));
    const listen = { onsubmit: (event) => this.submit(event), oninput: () => this.refresh(), onkeydown: (event) => this.key(event) };
    return el(
      "form",
      { class: "trial", novalidate: true, ...listen },
      el("h4", {}, "Try it"),
      inputs,
      this.operation.body && this.bodyField(),
      this.wrong,
      el("div", { class: "send" }, this.go, el("span", { class: "faint" }, this.operation.body ? "Ctrl + Enter sends too" : "")),
      this.languages(),
      this.result,
    );
  }

  input(parameter) {
    const id = `field-${this.number}-${this.fields.size}`;
    const control = this.control(parameter, id);
    this.fields.set(parameter, control);
    const marks = parameter.required ? el("span", { class: "required" }, "required") : el("span", { class: "faint" }, parameter.in);
    return el("div", { class: "row" }, el("label", { for: id }, el("code", {}, parameter.name), " ", marks), control);
  }

  control(parameter, id) {
    const { schema, example, required } = parameter;
    const choices = schema.type === "boolean" ? ["true", "false"] : schema.enum;
    const option = (value, text = value) => el("option", { value }, text);
    if (choices) return el("select", { id }, option("", "not given"), choices.map((each) => option(each)));
    const known = typed.get(parameter.name) ?? (this.operation.loses ? "" : String(example ?? ""));
    const shown = parameter.in === "header" ? '"7": only if nothing was written since' : String(example ?? "");
    return el("input", { id, type: "text", value: required ? known : "", placeholder: shown, autocomplete: "off", spellcheck: "false" });
  }

  bodyField() {
    const id = `body-${this.number}`;
    // What takes something away is asked for no more than is typed: the example might force it.
    const careful = this.operation.loses && !this.operation.body.required;
    const value = careful ? "{}" : JSON.stringify(this.operation.body.example, null, 2);
    const rows = Math.min(18, Math.max(3, value.split("\n").length));
    this.body = el("textarea", { id, rows, spellcheck: "false", autocomplete: "off", "aria-describedby": this.wrong.id, value });
    const again = el("button", { type: "button", class: "small quiet", onclick: () => this.restart(value) }, "Example again");
    return el("div", { class: "row" }, el("label", { for: id }, "Body, as JSON"), this.body, el("div", { class: "again" }, again));
  }

  restart(value) {
    this.body.value = value;
    this.refresh();
  }

  languages() {
    const choose = (name) => ((language = name), this.refresh());
    const choice = languageChoice(`language-${this.number}`, language, choose);
    const bar = el("div", { class: "tabs" }, choice, copyButton(() => this.code.textContent));
    return el("div", { class: "code" }, bar, this.code);
  }

  // What is wrong with the body, or nothing.
  bodyProblem() {
    const text = this.body?.value.trim();
    if (!text) return "";
    try {
      const value = JSON.parse(text);
      return value !== null && typeof value === "object" && !Array.isArray(value) ? "" : "The body must be an object: {…}";
    } catch (problem) {
      return `The body is not JSON yet: ${problem.message.replace(/^JSON\.parse: /, "")}`;
    }
  }

  values(place) {
    const taken = [...this.fields].filter(([parameter]) => parameter.in === place);
    return Object.fromEntries(taken.map(([parameter, control]) => [parameter.name, control.value.trim()]).filter(([, value]) => value));
  }

  request() {
    const { method, path, open } = this.operation;
    const address = withQuery(fill(path, this.values("path")), this.values("query"));
    const body = this.body?.value.trim() || undefined;
    return { method, address, url: location.origin + address, bearer: !open, headers: this.values("header"), body };
  }

  refresh() {
    const problem = this.bodyProblem();
    this.body?.setAttribute("aria-invalid", String(Boolean(problem)));
    show(this.wrong, problem);
    try {
      show(this.code, LANGUAGES[language](this.request()));
    } catch (refused) {
      show(this.wrong, refused.message);
    }
  }

  key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
  }

  // The first thing that stands in the way of sending, said beside its field.
  standsInTheWay() {
    for (const [parameter, control] of this.fields) {
      const missing = parameter.required && !control.value.trim();
      control.setAttribute("aria-invalid", String(missing));
      if (missing) return [`${parameter.name} is required`, control];
    }
    const problem = this.bodyProblem();
    return problem ? [problem, this.body] : null;
  }

  async submit(event) {
    event.preventDefault();
    const obstacle = this.standsInTheWay();
    if (obstacle) {
      show(this.wrong, obstacle[0]);
      obstacle[1].focus();
      return;
    }
    this.refresh();
    if (this.wrong.textContent) return;
    for (const [name, value] of Object.entries(this.values("path"))) typed.set(name, value);
    this.go.disabled = true;
    if (await this.confirmed()) await this.sendNow();
    this.go.disabled = false;
  }

  async confirmed() {
    if (!this.operation.loses || isDry(this.body?.value)) return true;
    const { method, address } = this.request();
    const lost = await lossesOf(this.operation, address, this.body?.value);
    return confirmLoss({ title: `${this.operation.summary}?`, lost: [`${method} ${address}`, ...lost], verb: "Send it" });
  }

  async sendNow() {
    const { method, address, headers, body } = this.request();
    const answer = await send(method, address, { headers, text: body, bearer: this.operation.open ? "" : currentKey() });
    version = Object.fromEntries(answer.headers).etag ?? version;
    for (const [parameter, control] of this.fields) if (parameter.in === "header" && version) control.placeholder = `last read: ${version}`;
    show(this.result, shownAnswer(answer));
  }
}

const isDry = (text) => Boolean(text?.trim()) && fromJson(text).dry_run === true;

// What a deletion or a replacement takes away, as far as a look at it tells.
async function lossesOf(operation, address, body) {
  const look = operation.replaces ? "/api/v1/system/health" : address.split("?")[0];
  try {
    if (operation.settles) return changesIn(await ask("POST", look, { body: { ...fromJson(body), dry_run: true } }));
    const found = await ask("GET", look);
    return operation.replaces ? ["All of this store; a backup is made first", ...inWords(found.statistics)] : inWords(found);
  } catch {
    return []; // A path that only takes DELETE, or a key that may not look.
  }
}

// What a dry run says would be done, losses first.
function changesIn({ changes, created, changed, removed, api_keys_deleted: keys }) {
  const rank = ["remove", "change"];
  const sorted = [...changes].sort((one, other) => rank.indexOf(other.action) - rank.indexOf(one.action));
  const words = ({ action, kind, name, fields }) => `${action} ${kind} ${name}${fields.length ? `: ${fields.join(", ")}` : ""}`;
  const sums = `${number(created)} created, ${number(changed)} changed, ${number(removed)} removed, ${number(keys)} API keys deleted`;
  const more = changes.length - SHOWN_LOSSES;
  return [sums, ...sorted.slice(0, SHOWN_LOSSES).map(words), more > 0 && `and ${number(more)} more`].filter(Boolean);
}

function inWords(found) {
  if (Array.isArray(found)) {
    const names = found.slice(0, SHOWN_LOSSES).map((each) => nameOf(each));
    const more = found.length > SHOWN_LOSSES ? ` and ${number(found.length - SHOWN_LOSSES)} more` : "";
    return [found.length > 0 ? `${number(found.length)}: ${names.join(", ")}${more}` : "Nothing is there"];
  }
  const isShown = (name, value) => !name.endsWith("_at") && value !== null && (typeof value !== "object" || Array.isArray(value));
  const shown = Object.entries(found).filter((each) => isShown(...each));
  const words = (name) => name.replace(/^total_/, "").replace(/_/g, " ");
  return shown.map(([name, value]) => `${words(name)}: ${Array.isArray(value) ? number(value.length) : value}`);
}

const nameOf = (record) => record.email ?? record.server_name ?? record.name ?? record.api_key ?? String(Object.values(record)[0]);

function shownAnswer(answer) {
  const text = answer.data === null ? answer.text : toJson(answer.data, 2);
  const kind = answer.ok ? "good" : answer.status && answer.status < 500 ? "warn" : "bad";
  const facts = [`${answer.ms < 10 ? answer.ms.toFixed(1) : Math.round(answer.ms)} ms`, `${number(new Blob([answer.text]).size)} bytes`];
  const header = ([name, value]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, el("code", {}, value)));
  const headers = answer.headers.map(header);
  return [
    el(
      "div",
      { class: "status" },
      el("span", { class: `badge ${kind}` }, answer.status || "none"),
      el("strong", {}, answer.statusText),
      el("span", { class: "faint" }, facts.join(" · ")),
      copyButton(() => text),
    ),
    !answer.ok && problemOf(answer),
    headers.length > 0 &&
      el("details", { class: "headers" }, el("summary", {}, `${headers.length} headers`), el("table", {}, el("tbody", {}, headers))),
    text && el("pre", { class: "answer-text", tabindex: "0", "aria-label": "The answer" }, jsonCode(text.slice(0, MOST_SHOWN))),
    text.length > MOST_SHOWN &&
      el("p", { class: "faint" }, `The first ${number(MOST_SHOWN)} of ${number(text.length)} characters; Copy takes all.`),
  ];
}

function problemOf(answer) {
  const detail = answer.data?.detail ?? (answer.status ? answer.text : "The server cannot be reached: is it still running?");
  const field = document.getElementById("key");
  const needsKey = answer.status === 401 && !currentKey() && field;
  const give = needsKey && el("button", { type: "button", class: "small", onclick: () => field.focus() }, "Give a key");
  return el("div", { class: `note ${answer.status && answer.status < 500 ? "warn" : "bad"}` }, detail, " ", give);
}
