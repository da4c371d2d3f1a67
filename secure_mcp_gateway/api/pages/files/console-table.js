// Lists of the API as tables, one page at a time; headings, buttons and links of the console's pages.
import { el, number, show } from "/assets/common.js";
import { button } from "/assets/console-deed.js";

const SIZE = 25;

// Columns are [name, cell(row)], the first names the row; filters are [name, label, [[value, text]]]. `load({limit, offset, term,
// ...filters})` gives {data, total}. The element has `reload()`, and `ready` for its first page.
export function listing({ name, columns, load, searches, filters = [] }) {
	// On the way back it is as it was left.
	const query = { term: "", ...history.state?.[name]?.query };
	let [offset, asked, timer] = [history.state?.[name]?.offset ?? 0, 0, 0];
	const keep = () => history.replaceState({ ...history.state, [name]: { query, offset } }, "");
	const count = el("span", { class: "count", role: "status" });
	const turn = (by) => () => {
		offset += by;
		keep();
		reload();
	};
	const turns = [["Previous", -SIZE], ["Next", SIZE]].map(([text, by]) => button(text, turn(by), "small", { disabled: true }));
	const body = el("tbody");
	const names = columns.map(([text]) => el("th", { scope: "col" }, text || el("span", { class: "visually-hidden" }, "Deeds")));
	const table = el("table", { "aria-label": name }, el("thead", {}, el("tr", {}, names)), body);
	const cell = (each) => ([text, content], at) => el(at ? "td" : "th", at ? { "data-label": text } : { scope: "row" }, content(each));
	const row = (each) => el("tr", {}, columns.map(cell(each)));
	const tell = (...told) => show(body, el("tr", {}, el("td", { colspan: columns.length, class: "faint" }, told)));

	async function reload() {
		const mine = ++asked;
		try {
			const { data, total } = await load({ limit: SIZE, offset, ...query });
			if (mine === asked) draw(data, total);
		} catch (refused) {
			if (mine === asked) tell(failed(refused, reload));
		}
	}

	function draw(rows, total) {
		// The last row of the last page may be gone.
		if (!rows.length && total && offset) return reload((offset -= SIZE));
		show(count, total ? `${number(offset + 1)}–${number(offset + rows.length)} of ${number(total)}` : "None");
		const focused = document.activeElement;
		[turns[0].disabled, turns[1].disabled] = [offset === 0, offset + rows.length >= total];
		if (focused.disabled) turns.find((turn) => !turn.disabled)?.focus();
		if (rows.length) return show(body, rows.map(row));
		if (query.term) return tell(`Nothing found for “${query.term}”.`);
		return tell(`There are none ${Object.values(query).some(Boolean) ? "of that kind" : "yet"}.`);
	}

	const ask = (field) => ({ target }) => {
		query[field] = target.value.trim();
		offset = 0;
		keep();
		clearTimeout(timer);
		timer = setTimeout(reload, 150);
	};
	const words = { "aria-label": `Search ${name}`, placeholder: searches, value: query.term };
	const searching = { type: "search", class: "searching", ...words, oninput: ask("term") };
	const boxes = filters.map(([field, label, choices]) => {
		const box = el("select", { onchange: ask(field) }, choices.map(([value, text]) => el("option", { value }, text)));
		box.value = query[field] ?? "";
		return el("label", { class: "filter" }, label, box);
	});
	const tools = el("div", { class: "tools" }, searches && el("input", searching), boxes, el("span", { class: "paging" }, count, turns));
	return Object.assign(el("div", { class: "listing" }, tools, el("div", { class: "panel rows" }, table)), { reload, ready: reload() });
}

// Buttons for deeds [text, action, kind] without those that are false; `after` is called where something was done. `what` tells those
// who do not see the row what a button acts on.
export const buttons = (deeds, after, what) =>
	deeds.filter(Boolean).map(([text, action, kind = ""]) =>
		button(text, async () => (await action()) && after?.(), `${what ? "small " : ""}${kind}`, { "aria-label": what && `${text} ${what}` }),
	);

export const badge = (kind, text) => el("span", { class: `badge ${kind}` }, text);

export const link = (page, id, text) => el("a", { href: `#/${page}/${encodeURIComponent(id)}`, title: text.length > 50 && text }, text);
export const userLink = (user) => (user.email ? link("user", user.user_id, user.email) : "—");
export const projectLink = (project) => (project.project_name ? link("project", project.project_id, project.project_name) : "—");
export const configLink = ({ mcp_config_id: id, mcp_config_name: name, config_name: its }) => link("config", id, name ?? its);

// The first few of many projects.
export const projectLinks = (projects, total = projects.length) =>
	el("span", { class: "names" }, total ? projects.slice(0, 3).map(projectLink) : "none", total > 3 && `and ${number(total - 3)} more`);

// What could not be loaded, and another try.
export const failed = ({ message }, again) =>
	el("p", { class: "note bad", role: "alert" }, message, ". ", button("Try again", () => again(), "small"));

// A page's heading, which takes the focus, with its deeds.
export const heading = (text, deeds = []) =>
	el("header", { class: "heading" }, el("h1", { tabindex: "-1" }, text), el("div", { class: "deeds" }, deeds));

// A page with a list: its deeds bring the list up to date. `plan(changed)` gives the list's plan.
export function listPage(root, name, deeds, plan) {
	const changed = () => list.reload();
	const list = listing({ name, ...plan(changed) });
	root.append(heading(name, buttons(deeds, changed)), list);
}

export const facts = (...pairs) =>
	el("dl", { class: "plain" }, pairs.filter(Boolean).map(([name, content]) => el("div", {}, el("dt", {}, name), el("dd", {}, content))));
