// From facts to the graph that is drawn: who reaches what, cut to a filter, with many of a kind folded into one.
import { allowedTools, guards, placeOf } from "/assets/console-configs.js";

export const COLUMNS = ["user", "project", "config", "server", "tool"];
const [USERS, PROJECTS, CONFIGS, SERVERS, TOOLS] = COLUMNS.keys();
const ROOMY = 36; // a column with so many or fewer is not folded
const MORE = 40; // an opened fold shows so many at a time

export const many = (column, count) => `${count.toLocaleString()} ${COLUMNS[column]}${count === 1 ? "" : "s"}`;

// A node: {id, column, name, count, about, place, page, fold, load}; `count` is how many it stands for.
class Graph {
	nodes = new Map();
	out = new Map();
	in = new Map();

	add(id, column, name, more) {
		this.nodes.set(id, { count: 1, ...more, id, column, name });
		this.out.set(id, new Set());
		this.in.set(id, new Set());
	}

	join(from, to) {
		if (!this.nodes.has(from) || !this.nodes.has(to)) return;
		this.out.get(from).add(to);
		this.in.get(to).add(from);
	}

	get edges() {
		return [...this.out].flatMap(([from, all]) => [...all].map((to) => [from, to]));
	}

	column(at) {
		return [...this.nodes.values()].filter((node) => node.column === at);
	}

	// These, all that they reach, and all that reaches them.
	reach(ids) {
		const [down, up] = [this.out, this.in].map((next) => {
			const seen = new Set(ids);
			// A set that grows is walked to its end.
			for (const id of seen) next.get(id).forEach((each) => seen.add(each));
			return seen;
		});
		return new Set([...down, ...up]);
	}
}

// Everything that is known. Members of a project that are not known by name are one node.
export function graphOf(facts) {
	const graph = new Graph();
	for (const config of facts.configs.values()) addConfig(graph, config);
	for (const project of facts.projects.values()) {
		const { project_id: id, project_name: name, mcp_config: config } = project;
		graph.add(`p:${id}`, PROJECTS, name, { page: ["project", id], about: config ? "" : "no config" });
		graph.join(`p:${id}`, `c:${config?.mcp_config_id}`);
		const count = facts.rest(project);
		if (count) graph.add(`r:${id}`, USERS, many(USERS, count), { count, load: () => facts.loadMembers(project) });
		graph.join(`r:${id}`, `p:${id}`);
	}
	for (const { user_id: id, email, projects } of facts.users.values()) {
		graph.add(`u:${id}`, USERS, email, { page: ["user", id], about: projects.length ? "" : "in no project" });
		for (const each of projects) graph.join(`u:${id}`, `p:${each.project_id}`);
	}
	return graph;
}

function addConfig(graph, { mcp_config_id: id, mcp_config_name: name, mcp_config: servers }) {
	graph.add(`c:${id}`, CONFIGS, name, { page: ["config", id], about: servers.length ? "" : "no servers" });
	for (const server of servers) {
		const [node, { all, names, denied }, guarded] = [`s:${id}/${server.server_name}`, allowedTools(server), guards(server).join(", ")];
		const about = all || names.length ? guarded && `guarded: ${guarded}` : "no tool allowed";
		graph.add(node, SERVERS, server.server_name, { about, place: placeOf(server), isGuarded: guarded });
		graph.join(`c:${id}`, node);
		for (const tool of all ? [`all tools${denied.length ? ` but ${denied.length}` : ""}`] : names) {
			graph.add(`t:${node}/${tool}`, TOOLS, tool, { isAll: all });
			graph.join(node, `t:${node}/${tool}`);
		}
	}
}

// The part of those that have the term in their name, and of the users `found`. Gives [graph, hits].
export function filtered(graph, term, found) {
	const low = term.toLowerCase();
	const has = ({ id, name, place, load }) => found.includes(id) || (!load && `${name} ${place ?? ""}`.toLowerCase().includes(low));
	const hits = new Set([...graph.nodes.values()].filter(has).map((node) => node.id));
	const part = new Graph();
	for (const id of graph.reach(hits)) {
		const node = graph.nodes.get(id);
		part.add(id, node.column, node.name, node);
	}
	for (const edge of graph.edges) part.join(...edge);
	return [part, hits];
}

// Folds many of one parent, from the configs outwards. `open` maps a fold to how many of it are shown; `hits` stay themselves.
export function folded(graph, open, hits) {
	const drawn = new Graph();
	const stands = new Map(); // for which node which one is drawn
	for (const column of [CONFIGS, PROJECTS, USERS, SERVERS, TOOLS]) {
		const nodes = graph.column(column);
		const few = nodes.length <= ROOMY ? Infinity : nodes.length > 2 * ROOMY ? 1 : 6;
		for (const [key, group] of groups(graph, nodes, stands)) {
			const shown = group.length <= few ? group.length : open.get(key) ?? 0;
			let rest = group.filter((node, at) => at >= shown && !hits.has(node.id));
			if (rest.length === 1) rest = [];
			for (const node of group) stands.set(node.id, rest.includes(node) ? key : node.id);
			for (const node of group) if (!rest.includes(node)) drawn.add(node.id, column, node.name, node);
			if (!rest.length) continue;
			const count = rest.reduce((sum, node) => sum + node.count, 0);
			// Where it stands for the members of folded projects, it opens those.
			const isSum = rest.every((node) => node.load);
			const name = isSum ? `${count.toLocaleString()} memberships` : many(column, count);
			drawn.add(key, column, name, { count, fold: isSum ? key.slice(2) : key });
		}
	}
	for (const [from, to] of graph.edges) drawn.join(stands.get(from), stands.get(to));
	return drawn;
}

// Nodes by the drawn nodes that they hang on, towards the configs; configs that nobody uses are one group.
function groups(graph, nodes, stands) {
	const all = new Map();
	for (const node of nodes) {
		const beside = [...(node.column <= PROJECTS ? graph.out : graph.in).get(node.id)];
		const parents = node.column === CONFIGS ? beside.slice(0, 1).map(() => node.id) : beside.map((id) => stands.get(id));
		const key = `${node.column}|${[...new Set(parents)].sort().join("+")}`;
		if (!all.has(key)) all.set(key, []);
		all.get(key).push(node);
	}
	return all;
}

export const openMore = (open, { id, fold, load }) =>
	load ? open.set(`0|p:${id.slice(2)}`, Infinity) : open.set(fold, (open.get(fold) ?? 0) + MORE);

// --- Where the nodes stand: a column for each kind, in an order with few crossings, each as near to its neighbours as the others let it.
export const WIDTH = 176;
export const HEIGHT = 24;
const STEP = HEIGHT + 6;
const ACROSS = WIDTH + 36;
const ROUNDS = 6;

// {places: Map of id → [x, y] of the upper left corner, width, height, top: where the first columns begin}
export function layout(graph, count) {
	const columns = Array.from({ length: count }, (_, at) => graph.column(at).map((node) => node.id));
	const back = [...columns.keys()].reverse();
	for (let round = 0; round < ROUNDS; round++) {
		const [turn, beside, side] = round % 2 ? [back, graph.out, 1] : [columns.keys(), graph.in, -1];
		for (const at of turn) sort(columns[at], columns[at + side] ?? [], beside);
	}
	const middles = new Map(columns.flatMap((ids) => ids.map((id, at) => [id, (at - ids.length / 2) * STEP])));
	for (let round = 0; round < ROUNDS; round++) for (const at of round % 2 ? columns.keys() : back) settle(graph, columns[at], middles);
	const ys = [...middles.values()];
	const [least, most] = ys.reduce(([low, high], y) => [Math.min(low, y), Math.max(high, y)], [Infinity, -Infinity]);
	const places = new Map(columns.flatMap((ids, at) => ids.map((id) => [id, [at * ACROSS, middles.get(id) - least]])));
	const first = columns.filter((ids) => ids.length).slice(0, 2);
	const top = Math.min(...first.flat().map((id) => places.get(id)[1]));
	return { places, width: (count - 1) * ACROSS + WIDTH, height: ys.length ? most - least + HEIGHT : 1, top: ys.length ? top : 0 };
}

const mean = (values) => (values.length ? values.reduce((sum, each) => sum + each, 0) / values.length : null);

// By where its neighbours on one side stand; who has none keeps its place.
function sort(ids, others, beside) {
	const rank = new Map(others.map((id, at) => [id, at / others.length]));
	const near = (id) => [...beside.get(id)].map((each) => rank.get(each)).filter((each) => each !== undefined);
	const wish = new Map(ids.map((id, at) => [id, mean(near(id)) ?? at / ids.length]));
	ids.sort((one, other) => wish.get(one) - wish.get(other));
}

// The least squares from the wished places with the order kept and room between: those that would overlap form a block, which stands
// at the mean of its wishes.
function settle(graph, ids, middles) {
	const blocks = [];
	ids.forEach((id, at) => {
		const near = [...graph.in.get(id), ...graph.out.get(id)].map((each) => middles.get(each));
		let block = { sum: (mean(near) ?? middles.get(id)) - at * STEP, ids: [id] };
		while (blocks.length && blocks.at(-1).sum / blocks.at(-1).ids.length > block.sum / block.ids.length) {
			const { sum, ids: before } = blocks.pop();
			block = { sum: sum + block.sum, ids: [...before, ...block.ids] };
		}
		blocks.push(block);
	});
	let at = 0;
	for (const { sum, ids: inside } of blocks) for (const id of inside) middles.set(id, sum / inside.length + at++ * STEP);
}
