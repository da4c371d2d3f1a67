// The interactive page: operations by tag, search, deep links; an operation is built when it is opened first.
import { $, copyButton, el, keyField, number, show, themeSwitch } from "/assets/common.js";
import { Trial } from "/assets/docs-try.js";
import { anyAnswers, answerHead, answerOf, fieldsOf, jsonCode, method, ownAnswers, parameterTable, pathOf, prose } from "/assets/schema.js";
import { loadSpec } from "/assets/spec.js";

show($("#key-slot"), keyField());
show($("#end"), themeSwitch());

const search = $("#search");
const found = $("#found");
const cards = new Map();
const links = new Map();
const sections = [];

function card(spec, operation) {
  const content = el("div", { class: "content" });
  const head = el("summary", {}, method(operation), pathOf(operation.path), el("span", { class: "summary" }, operation.summary));
  const made = el("details", { class: "operation", id: operation.id, ontoggle: () => opened(made) }, head, content);
  made.fill = () => {
    made.fill = () => {};
    show(content, explained(spec, operation), new Trial(operation).form);
  };
  cards.set(operation, made);
  return made;
}

function opened(made) {
  if (!made.open) return;
  made.fill();
  if (location.hash !== `#${made.id}`) history.replaceState(null, "", `#${made.id}`);
}

function explained(spec, operation) {
  const success = operation.answers.find((answer) => answer.example !== undefined);
  const address = () => `${location.href.split("#")[0]}#${operation.id}`;
  return el(
    "div",
    { class: "explained" },
    el("p", {}, prose(operation.description)),
    el("p", { class: "where" }, el("code", { class: "faint" }, operation.id), copyButton(address, "Copy link")),
    operation.parameters.length > 0 && [el("h4", {}, "Parameters"), parameterTable(spec, operation.parameters)],
    operation.body && [el("h4", {}, "Body"), fieldsOf(spec, operation.body.schema)],
    el("h4", {}, "Answers"),
    ownAnswers(operation).map((answer) => answerOf(spec, answer, false)),
    el("details", { class: "always" }, el("summary", {}, "Answers that any request can have"), anyAnswers(operation).map(answerHead)),
    success && [el("h4", {}, `Example of ${success.status}`), example(success)],
  );
}

const example = (answer) => el("pre", { tabindex: "0", "aria-label": "An example of the answer" }, jsonCode(answer.example));

function section(spec, group) {
  const made = el(
    "section",
    { "aria-labelledby": group.id },
    el("h2", { id: group.id }, group.name),
    group.description && el("p", { class: "faint" }, prose(group.description)),
    group.operations.map((operation) => card(spec, operation)),
  );
  sections.push([made, group]);
  return made;
}

function contents(group) {
  const entries = group.operations.map((operation) => {
    const link = el("a", { href: `#${operation.id}` }, operation.summary);
    const entry = el("li", {}, link);
    links.set(operation, entry);
    return entry;
  });
  const made = el("div", {}, el("a", { class: "group", href: `#${group.id}` }, group.name), el("ul", {}, entries));
  sections.push([made, group]);
  return made;
}

function filter(all) {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let left = 0;
  for (const operation of all) {
    const fits = operation.matches(words);
    left += fits;
    cards.get(operation).hidden = links.get(operation).hidden = !fits;
  }
  for (const [part, group] of sections) part.hidden = !group.operations.some((operation) => operation.matches(words));
  const sum = `${number(all.length)} operations`;
  show(found, words.length > 0 ? `${left ? number(left) : "None"} of ${sum}${left ? "" : ": Escape clears the search"}` : sum);
}

function follow(spec, all) {
  const operation = spec.operations.get(location.hash.slice(1));
  if (!operation) return;
  const made = cards.get(operation);
  if (made.hidden) {
    search.value = "";
    filter(all);
  }
  made.open = true;
  made.fill();
  made.scrollIntoView();
  $("summary", made).focus({ preventScroll: true });
}

function listen(spec, all) {
  search.addEventListener("input", () => filter(all));
  addEventListener("hashchange", () => follow(spec, all));
  addEventListener("keydown", (event) => {
    const busy = event.target.matches?.("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey;
    if (event.key === "/" && !busy) {
      event.preventDefault();
      search.focus();
    }
    if (event.key === "Escape" && event.target === search) {
      search.value = "";
      filter(all);
    }
  });
  // A link to where one is already gives no change of the address.
  $("#contents").addEventListener("click", (event) => {
    if (event.target.hash === location.hash) follow(spec, all);
  });
}

try {
  const spec = await loadSpec();
  const all = [...spec.operations.values()];
  show($("#version"), spec.document.info.version);
  show($("#contents"), spec.groups.map(contents));
  show($("#operations"), spec.groups.map((group) => section(spec, group)));
  filter(all);
  listen(spec, all);
  follow(spec, all);
} catch (problem) {
  show($("#operations"), el("p", { class: "note bad", role: "alert" }, problem.message));
}
