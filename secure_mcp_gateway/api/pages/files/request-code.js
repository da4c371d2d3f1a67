// A request as a program would send it. The key is never written out: each text takes it from the environment.

import { el } from "/assets/common.js";
import { Exact, fromJson, toJson } from "/assets/json.js";

// `request`: {method, url, bearer: whether a key goes with it, headers: {name: value}, body: JSON text or undefined}
export const LANGUAGES = { curl: asCurl, Python: asPython, JavaScript: asJavaScript };

// Radio buttons for the languages, `name` for one group; `choose` gets the language chosen.
export function languageChoice(name, chosen, choose) {
  const choices = Object.keys(LANGUAGES).map((each) => {
    return el("label", {}, el("input", { type: "radio", name, checked: each === chosen, onchange: () => choose(each) }), each);
  });
  return el("fieldset", {}, el("legend", { class: "visually-hidden" }, "The request as code in"), choices);
}

function headersOf({ headers, body }) {
  return Object.entries({ ...headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) });
}

const shell = (text) => `'${text.replace(/'/g, "'\\''")}'`;

function asCurl(request) {
  const { method, url, bearer, body } = request;
  const lines = [`curl -sS ${method === "GET" ? "" : `-X ${method} `}${shell(url)}`];
  if (bearer) lines.push('-H "Authorization: Bearer $KEY"');
  lines.push(...headersOf(request).map(([name, value]) => `-H ${shell(`${name}: ${value}`)}`));
  if (body !== undefined) lines.push(`--data-raw ${shell(body)}`);
  return lines.join(" \\\n  ");
}

function asPython(request) {
  const { method, url, bearer, body } = request;
  const headers = headersOf(request).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  if (bearer) headers.unshift(`"Authorization": f"Bearer {os.environ['KEY']}"`);
  const value = parsed(body);
  const lines = [
    "import json",
    bearer && "import os",
    "import urllib.request",
    "",
    "request = urllib.request.Request(",
    `    ${JSON.stringify(url)},`,
    `    method="${method}",`,
    headers.length > 0 && ["    headers={", ...headers.map((header) => `        ${header},`), "    },"].join("\n"),
    body !== undefined && `    data=${value === undefined ? JSON.stringify(body) : `json.dumps(${python(value, "    ")})`}.encode(),`,
    ")",
    "with urllib.request.urlopen(request) as response:",
    "    print(json.load(response)[\"data\"])",
  ];
  return lines.filter((line) => line !== false).join("\n");
}

// A JSON value as Python writes it; JSON's strings are strings of Python too.
function python(value, indent) {
  const inner = `${indent}    `;
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value instanceof Exact) return String(value);
  if (typeof value !== "object") return JSON.stringify(value);
  const parts = Array.isArray(value)
    ? value.map((each) => python(each, inner))
    : Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${python(each, inner)}`);
  const [begin, end] = Array.isArray(value) ? "[]" : "{}";
  const line = begin + parts.join(", ") + end;
  if (line.length < 80 && !line.includes("\n")) return line;
  return `${begin}\n${parts.map((part) => `${inner}${part},\n`).join("")}${indent}${end}`;
}

function asJavaScript(request) {
  const { method, url, bearer, body } = request;
  const headers = headersOf(request).map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)},`);
  if (bearer) headers.unshift("    Authorization: `Bearer ${process.env.KEY}`,");
  const lines = [
    `const response = await fetch(${JSON.stringify(url)}, {`,
    `  method: "${method}",`,
    headers.length > 0 && ["  headers: {", ...headers, "  },"].join("\n"),
    body !== undefined && `  body: ${scripted(body)},`,
    "});",
    "console.log(response.status, await response.json());",
  ];
  return lines.filter((line) => line !== false).join("\n");
}

// As text where the value would be sent otherwise than it is written: no JSON, or a number that JavaScript rounds.
function scripted(body) {
  const value = parsed(body);
  const line = toJson(value ?? null);
  if (value === undefined || line !== JSON.stringify(JSON.parse(body))) return JSON.stringify(body);
  return `JSON.stringify(${line.length < 80 ? line : toJson(value, 2).replace(/\n/g, "\n  ")})`;
}

function parsed(text) {
  try {
    return fromJson(text);
  } catch {
    return undefined;
  }
}

export function withQuery(path, query) {
  const pairs = Object.entries(query).filter(([, value]) => value !== "");
  const text = pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  return text ? `${path}?${text}` : path;
}
