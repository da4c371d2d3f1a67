// How the parts of an operation are shown on both pages: schemas folded out, parameters, answers, JSON in colours.
import { el } from "/assets/common.js";
import { demandsOf, limitsOf, typeOf } from "/assets/spec.js";

const DEEPEST = 8;

// Prose with `names` set as code.
export function prose(text) {
  return text.split("`").map((part, at) => (at % 2 ? el("code", {}, part) : part));
}

// The fields of an object, or of the objects in a list; those inside are folded away unless `open`. `asked` is for what is sent:
// it says what must be given.
export function fieldsOf(spec, given, how = {}) {
  const { asked = true, depth = 0 } = how;
  const schema = spec.resolved(given);
  if (depth > DEEPEST || !isShaped(spec, schema)) return null;
  if (schema.items) return fieldsOf(spec, schema.items, how);
  if (!schema.properties && choicesOf(schema).length > 0) return choicesOf(schema).map((each) => fieldsOf(spec, each, how));
  const { required, sentences } = demandsOf(schema);
  const rows = Object.entries(schema.properties ?? {}).map(([name, each]) => field(spec, name, each, asked && required.has(name), how));
  if (isDescribed(schema.additionalProperties)) rows.push(field(spec, "any name", schema.additionalProperties, false, how));
  const said = sentences.map((sentence) => el("p", { class: "demand" }, sentence));
  return [asked && said, el("ul", { class: "fields" }, rows)];
}

const choicesOf = (schema) => schema.oneOf ?? schema.anyOf ?? [];
const isDescribed = (schema) => schema !== null && typeof schema === "object" && Object.keys(schema).length > 0;

function isShaped(spec, given) {
  const schema = spec.resolved(given);
  if (schema.items) return isShaped(spec, schema.items);
  return Boolean(schema.properties) || isDescribed(schema.additionalProperties) || choicesOf(schema).some((each) => isShaped(spec, each));
}

function field(spec, name, given, required, how) {
  const schema = spec.resolved(given);
  const type = typeOf(spec, schema);
  // Of what is sent null is no news: it means not given.
  const head = el("div", { class: "head" }, headOf(name, how.asked === false ? type : type.replace(/ or null$/, ""), required));
  const about = [schema.description && el("p", { class: "about" }, prose(schema.description)), limits(schema)];
  const inside = fieldsOf(spec, schema, { ...how, depth: (how.depth ?? 0) + 1 });
  if (!inside) return el("li", {}, head, about);
  return el("li", {}, el("details", { open: how.open }, el("summary", {}, head, about), inside));
}

function headOf(name, type, required) {
  const marks = [el("code", { class: "name" }, name), el("span", { class: "type" }, type)];
  return required ? [...marks, el("span", { class: "required" }, "required")] : marks;
}

export function limits(schema) {
  const said = limitsOf(schema).map(({ text, code }) => el("span", {}, text, code !== undefined && [" ", el("code", {}, code)]));
  return said.length > 0 && el("p", { class: "limits" }, said);
}

export function parameterTable(spec, parameters) {
  const rows = parameters.map((each) => {
    const type = `${typeOf(spec, each.schema)}, in ${each.in === "header" ? "a header" : `the ${each.in}`}`;
    const about = each.description && el("p", { class: "about" }, prose(each.description));
    return el("li", {}, el("div", { class: "head" }, headOf(each.name, type, each.required)), about, limits(each.schema));
  });
  return el("ul", { class: "fields" }, rows);
}

// The answers that an operation has of its own, and those that any request can have.
export const ownAnswers = (operation) => operation.answers.filter((answer) => isUsual(answer.status));
export const anyAnswers = (operation) => operation.answers.filter((answer) => !isUsual(answer.status));

const isUsual = (status) => status < "300" || ["400", "404", "409", "412"].includes(status);

export function answerHead(answer) {
  const kind = answer.status < "300" ? "good" : answer.status < "500" ? "warn" : "bad";
  return el("p", { class: "answer-head" }, el("span", { class: `badge ${kind}` }, answer.status), el("span", {}, answer.description));
}

// Of a success what stands in `data`, for the rest is the same everywhere.
export function answerOf(spec, answer, open) {
  const data = answer.status < "300" && answer.schema?.properties?.data;
  const header = ({ name, description }) => el("li", {}, el("div", { class: "head" }, headOf(name, `header: ${description}`, false)));
  const headers = answer.headers.map(header);
  const fields = data && [
    el("div", { class: "head" }, headOf("data", typeOf(spec, data), false)),
    fieldsOf(spec, data, { open, asked: false }),
  ];
  return el("div", { class: "answer" }, answerHead(answer), headers.length > 0 && el("ul", { class: "fields" }, headers), fields);
}

export function method(operation) {
  const kind = { GET: "accent", POST: "good", PUT: "warn", DELETE: "bad" }[operation.method];
  return el("span", { class: `badge method ${kind}` }, operation.method);
}

// A path with its parameters set apart, and places where a narrow screen may break it.
export function pathOf(path) {
  const parts = path.split(/(\{\w+\})/).map((part) => (part.startsWith("{") ? el("span", { class: "variable" }, part) : breakable(part)));
  return el("code", { class: "path" }, parts);
}

const breakable = (text) => text.split(/(?<=\/)/).flatMap((part) => [part, el("wbr")]);

// JSON text in colours; what is no JSON stays as it is.
const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\b\d[\d.eE+-]*/g;

export function jsonCode(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(TOKENS)) {
    const [whole, string, colon] = found;
    const token = string ?? whole;
    parts.push(text.slice(end, found.index), el("span", { class: colon ? "json-name" : string ? "json-text" : "json-value" }, token));
    end = found.index + token.length;
  }
  return el("code", {}, parts, text.slice(end));
}
