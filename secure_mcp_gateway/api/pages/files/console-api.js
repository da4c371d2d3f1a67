// The console's way to the API: pages of lists, writes under the generation that was looked at.
import { ask, fill } from "/assets/common.js";

const ROOT = "/api/v1";
const listeners = [];

// Listeners are given each refusal.
export const onRefusal = (listener) => listeners.push(listener);

export const isReadOnly = ({ status, message }) => status === 403 && message.includes("read-only");

async function heard(answer) {
	try {
		return await answer;
	} catch (problem) {
		listeners.forEach((listener) => listener(problem));
		throw problem;
	}
}

const asked = (method, path, values = {}, options = {}) => heard(ask(method, fill(ROOT + path, values), { ...options, whole: true }));

// {data, total, etag}; what is empty in `query` is left out, its `term` searches. A few questions are asked by POST.
export function look(path, values, { term, ...query } = {}) {
	if (path.startsWith("POST ")) return asked("POST", path.slice(5), values);
	const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
	if (!term) return asked("GET", `${path}?${given}`, values);
	return asked("POST", `${path}/search?${given}`, {}, { body: { search_term: term } });
}

// A list, or what a search finds; `further` brings what the search leaves out of a row.
export async function list(path, query, further) {
	const answer = await look(path, {}, query);
	if (query.term) answer.data = await forEach(answer.data, async (row) => ({ ...row, ...(await further(row)) }));
	return answer;
}

// What a write (`POST /path`) answers; with `etag` it is refused (412) where anything was written since. `text` is a body in JSON.
export async function write(call, values, { body, text, etag }) {
	const [method, path] = call.split(" ");
	return (await asked(method, path, values, { body, text, headers: etag ? { "If-Match": etag } : {} })).data;
}

// The results of `work` for all items; a browser sends a few requests at once.
export const forEach = (items, work) => Promise.all(items.map(work));
