// The API's description as the pages read it: operations by tag, references resolved, limits in words.

export class Spec {
  constructor(document) {
    this.document = document;
    this.groups = (document.tags ?? []).map(({ name, description = "" }) => ({ name, description, id: slug(name), operations: [] }));
    this.operations = new Map();
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, described] of Object.entries(methods)) this.add(path, method, described);
    }
  }

  add(path, method, described) {
    const operation = new Operation(this, path, method, described);
    this.operations.set(operation.id, operation);
    this.groups.find((group) => group.name === operation.tag).operations.push(operation);
  }

  // What a `$ref` stands for; whatever stands beside it is kept.
  resolved(node) {
    let found = node ?? {};
    while (found.$ref) {
      const { $ref, ...beside } = found;
      const steps = $ref.slice(2).split("/").map((step) => step.replace(/~1/g, "/").replace(/~0/g, "~"));
      found = { ...steps.reduce((at, step) => at[step], this.document), ...beside };
    }
    return found;
  }
}

const slug = (name) => `tag-${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;

class Operation {
  constructor(spec, path, method, described) {
    this.id = described.operationId;
    this.method = method.toUpperCase();
    this.path = path;
    this.summary = described.summary;
    this.description = described.description ?? "";
    [this.tag] = described.tags;
    this.open = described.security?.length === 0;
    this.replaces = described["x-replaces-everything"] === true;
    this.settles = described["x-settles-what-differs"] === true;
    this.loses = this.method === "DELETE" || this.replaces || this.settles;
    this.parameters = (described.parameters ?? []).map((each) => parameterOf(spec, each));
    this.body = bodyOf(spec, described.requestBody);
    this.answers = Object.entries(described.responses).map(([status, each]) => answerOf(spec, status, each));
    const names = [...this.parameters.map((each) => each.name), ...Object.keys(this.body?.schema.properties ?? {})];
    this.words = [this.method, path, this.summary, this.id, ...names].join(" ").toLowerCase();
  }

  taken(place) {
    return this.parameters.filter((each) => each.in === place);
  }

  // Does it hold each of the words of a search?
  matches(words) {
    return words.every((word) => this.words.includes(word));
  }
}

function parameterOf(spec, given) {
  const parameter = spec.resolved(given);
  const schema = spec.resolved(parameter.schema);
  return { ...parameter, schema, description: parameter.description ?? "", example: parameter.example ?? schema.examples?.[0] };
}

function bodyOf(spec, given) {
  if (!given) return null;
  const body = spec.resolved(given);
  const content = body.content["application/json"];
  return { required: body.required === true, schema: spec.resolved(content.schema), example: content.example ?? {} };
}

function answerOf(spec, status, given) {
  const answer = spec.resolved(given);
  const content = answer.content?.["application/json"] ?? {};
  const headers = Object.entries(answer.headers ?? {}).map(([name, header]) => ({ name, ...spec.resolved(header) }));
  const schema = content.schema && spec.resolved(content.schema);
  return { status, description: answer.description, headers, schema, example: content.example };
}

export async function loadSpec() {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`The description of the API could not be loaded: ${response.status}`);
  return new Spec(await response.json());
}

// --- Words for what a schema says.

export function typeOf(spec, given) {
  const schema = spec.resolved(given);
  if ("const" in schema) return JSON.stringify(schema.const);
  const choices = schema.oneOf ?? schema.anyOf;
  if (!schema.type && choices) return [...new Set(choices.map((each) => typeOf(spec, each)))].join(" or ");
  const types = [schema.type ?? "any"].flat().map((type) => (type === "array" ? listOf(spec, schema) : type));
  const text = types.join(" or ");
  return schema.format ? `${text} (${schema.format})` : text;
}

const listOf = (spec, schema) => (schema.items ? `list of ${typeOf(spec, schema.items)}` : "list");

// What is asked of every text in a path: true, and no news to a reader.
const NO_NUL = "^[^\\u0000]*$";
const pattern = (schema) => (schema?.pattern && schema.pattern !== NO_NUL ? schema.pattern : "");

// Each limit as {text} or, where it is to be read as it stands, {text, code}.
export function limitsOf(schema) {
  return [
    between(schema.minimum, schema.maximum, ""),
    between(schema.minLength, schema.maxLength, "characters"),
    between(schema.minItems, schema.maxItems, "entries"),
    schema.uniqueItems && { text: "no entry twice" },
    schema.enum && { text: "one of", code: schema.enum.map(plain).join(", ") },
    pattern(schema) && { text: "matches", code: schema.pattern },
    pattern(schema.items) && { text: "each matches", code: schema.items.pattern },
    pattern(schema.propertyNames) && { text: "names match", code: schema.propertyNames.pattern },
    "default" in schema && { text: "default", code: plain(schema.default) },
    schema.examples && { text: "for example", code: plain(schema.examples[0]) },
  ].filter(Boolean);
}

const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function between(least, most, what) {
  const words = (text) => ({ text: what ? `${text} ${what}` : text });
  if (least === undefined && most === undefined) return null;
  if (least === undefined) return words(`at most ${most}`);
  if (most === undefined || most >= 1e9) return words(`at least ${least}`);
  return words(`${least} to ${most}`);
}

// What an object asks for: the names that must be there, and sentences on those of which some must.
export function demandsOf(schema) {
  const required = new Set(schema.required ?? []);
  const sentences = [];
  for (const demand of schema.allOf ?? []) {
    for (const name of demand.required ?? []) required.add(name);
    if (demand.oneOf) sentences.push(`Exactly one of ${named(demand.oneOf)}`);
    if (demand.anyOf) sentences.push(`At least one of ${named(demand.anyOf)}`);
    if (demand.not?.allOf) sentences.push(`Not together: ${named(demand.not.allOf)}`);
  }
  return { required, sentences };
}

const named = (choices) => choices.flatMap((choice) => choice.required ?? []).join(", ");
