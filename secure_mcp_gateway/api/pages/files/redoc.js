// The reading page: contents, prose, examples. All of it is there at once, so that it can be searched and printed.
import { $, copyButton, el, fill, show, themeSwitch } from "/assets/common.js";
import { LANGUAGES, languageChoice } from "/assets/request-code.js";
import { answerHead, answerOf, fieldsOf, jsonCode, method, ownAnswers, parameterTable, pathOf, prose } from "/assets/schema.js";
import { loadSpec } from "/assets/spec.js";

show($("#end"), themeSwitch());

// Each block of code with the request that it shows.
const blocks = [];
let language = "curl";

function rewrite() {
  for (const [block, request] of blocks) show(block, LANGUAGES[language](request));
}

function exampleOf(operation) {
  const path = fill(operation.path, Object.fromEntries(operation.taken("path").map((each) => [each.name, each.example])));
  const body = operation.body ? JSON.stringify(operation.body.example, null, 2) : undefined;
  return { method: operation.method, url: location.origin + path, bearer: !operation.open, headers: {}, body };
}

function examples(operation) {
  const block = el("pre", { tabindex: "0", "aria-label": "The request as code" });
  blocks.push([block, exampleOf(operation)]);
  const success = operation.answers.find((answer) => answer.example !== undefined);
  return el(
    "div",
    { class: "examples" },
    el("div", { class: "caption" }, "Request", copyButton(() => block.textContent)),
    block,
    success && [
      el("div", { class: "caption" }, `Answer ${success.status}`),
      el("pre", { tabindex: "0", "aria-label": "The answer" }, jsonCode(success.example)),
    ],
  );
}

function article(spec, operation) {
  const [path, query, header] = ["path", "query", "header"].map((place) => operation.taken(place));
  return el(
    "article",
    { class: "operation", id: operation.id, "aria-labelledby": `${operation.id}-name` },
    el(
      "div",
      { class: "text" },
      el("h3", { id: `${operation.id}-name` }, operation.summary),
      el("p", { class: "address" }, method(operation), pathOf(operation.path)),
      el("p", {}, prose(operation.description)),
      [...path, ...query, ...header].length > 0 && [el("h4", {}, "Parameters"), parameterTable(spec, [...path, ...query, ...header])],
      operation.body && [el("h4", {}, "Body"), fieldsOf(spec, operation.body.schema, { open: true })],
      el("h4", {}, "Answers"),
      ownAnswers(operation).map((answer) => answerOf(spec, answer, true)),
    ),
    examples(operation),
  );
}

function section(spec, group) {
  const said = group.description && el("p", {}, prose(group.description));
  const head = el("div", { class: "text" }, el("h2", { id: `${group.id}-name` }, group.name), said);
  const articles = group.operations.map((operation) => article(spec, operation));
  return el("section", { id: group.id, "aria-labelledby": `${group.id}-name` }, head, articles);
}

function entry(id, text, inside = []) {
  return el("li", {}, el("a", { href: `#${id}` }, text), inside.length > 0 && el("ul", {}, inside));
}

function contents(spec) {
  const headings = [...document.querySelectorAll(".intro > :is(h1, h2)")];
  const chapters = headings.map((chapter) => entry(chapter.id, chapter.firstChild.data.trim()));
  const groups = spec.groups.map((group) => entry(group.id, group.name, group.operations.map(({ id, summary }) => entry(id, summary))));
  return el("ul", {}, chapters, groups);
}

const LINE = 80; // below the bar, and below where a part begins that a link leads to

// Marks in the contents what is being read: the last part that began above the line, at the end of the page the last one.
function follow() {
  const links = new Map([...document.querySelectorAll("#contents a")].map((link) => [link.hash.slice(1), link]));
  const parts = [...links.keys()].map((id) => document.getElementById(id));
  let marked = null;
  const look = () => {
    const isEnd = scrollY > 0 && scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
    const read = isEnd ? parts.at(-1) : parts.findLast((part) => part.getBoundingClientRect().top < LINE) ?? parts[0];
    const link = links.get(read.id);
    if (link === marked) return;
    marked?.removeAttribute("aria-current");
    link.setAttribute("aria-current", "location");
    marked = link;
    keepInSight(link, $("#contents"));
  };
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      look();
    });
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later);
  look();
}

// Moves the contents alone; `scrollIntoView` would move the page with them.
function keepInSight(link, box) {
  const [at, frame] = [link.getBoundingClientRect(), box.getBoundingClientRect()];
  if (at.top < frame.top + 40) box.scrollTop += at.top - frame.top - 40;
  else if (at.bottom > frame.bottom - 40) box.scrollTop += at.bottom - frame.bottom + 40;
}

// Any operation that takes a key has all of the answers that are common to all.
function refusals(spec) {
  const all = new Map();
  const answers = [...spec.operations.values()].flatMap((operation) => operation.answers);
  for (const answer of answers) if (answer.status >= "400") all.set(answer.status, answer);
  return [...all.values()].sort((one, other) => one.status - other.status).map(answerHead);
}

try {
  const spec = await loadSpec();
  show($("#version"), spec.document.info.version);
  show($("#languages"), languageChoice("language", language, (name) => ((language = name), rewrite())));
  show($("#refusals"), refusals(spec));
  show($("#operations"), spec.groups.map((group) => section(spec, group)));
  show($("#contents"), contents(spec));
  rewrite();
  addEventListener("beforeprint", () => document.querySelectorAll("#operations details").forEach((each) => (each.open = true)));
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  follow();
} catch (problem) {
  show($("#operations"), el("p", { class: "note bad", role: "alert" }, problem.message));
}
