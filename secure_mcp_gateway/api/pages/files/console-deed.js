// A deed in a dialog: what will be lost as the store is at this moment, its own errors, the way on after another admin was faster.
import { $, Refused, copy, el, number, show } from "/assets/common.js";
import { forEach, isReadOnly, look, write } from "/assets/console-api.js";
import { fromJson, toJson } from "/assets/json.js";

export const button = (text, onclick, kind, more) => el("button", { type: "button", class: kind, onclick, ...more }, text);

// Resolves with what `build`'s `finish` was given, or null. The focus stays inside and returns to where it was.
function modal(title, build, mayClose = () => true) {
	const opener = document.activeElement;
	const oncancel = (event) => mayClose() || event.preventDefault();
	const dialog = el("dialog", { "aria-labelledby": "dialog-title", onkeydown: keepInside, oncancel });
	return new Promise((resolve) => {
		let result = null;
		dialog.onclose = () => {
			dialog.remove();
			(opener.isConnected && opener !== document.body ? opener : $("#page h1") ?? $("#main")).focus();
			resolve(result);
		};
		const finish = (value) => {
			result = value;
			dialog.close();
		};
		dialog.append(el("h2", { id: "dialog-title" }, title), ...build(finish));
		document.body.append(dialog);
		dialog.showModal();
	});
}

// Else the last Tab leads into the browser's own bars.
function keepInside(event) {
	const places = [...this.querySelectorAll("button, input, select, textarea")].filter((node) => !node.disabled && node.offsetParent);
	if (event.shiftKey) places.reverse();
	if (event.key !== "Tab" || document.activeElement !== places.at(-1)) return;
	event.preventDefault();
	places[0].focus();
}

// While it was not copied the first Escape only warns.
function showSecret(title, secret, says) {
	let mayGo = false;
	const said = el("p", { role: "status", class: "said" });
	const mayClose = () => {
		if (mayGo) return true;
		show(said, "It was not copied. Press Escape again to close.");
		return !(mayGo = true);
	};
	const input = el("input", { id: "secret", class: "mono", readonly: true, value: secret, onfocus: () => input.select() });
	const take = async () => {
		try {
			await copy(secret);
			mayGo = true;
			show(said, "Copied.");
		} catch {
			input.focus();
			show(said, "The browser does not let this page copy: it is selected, copy it by hand.");
		}
	};
	const parts = (finish) => [
		el("p", { class: "note warn" }, el("strong", {}, "This is the only time it is shown. "), "The server keeps its digest only."),
		el("p", {}, says),
		el("label", { for: "secret" }, "Secret"),
		el("div", { class: "secret" }, input, button("Copy", take, "primary", { autofocus: true })),
		said,
		el("div", { class: "buttons" }, button("I have stored it: close", () => finish(true))),
	];
	return modal(title, parts, mayClose);
}

// Of a plan `look` are paths that are read when the dialog opens and again after a 412: what they answer goes to `says`, `lost`,
// `blocked`, `fields` and `body`, and the first one's generation guards the write. `send` is method and path, `of` fills paths;
// `act(values, etag)` stands in for both. `secret(result)` is shown once, `link(result)` leads to what was made, `next(result)` is the plan
// that follows. A plan with `tells` has nothing to do. Resolves with the result, or null.
export async function deed(plan) {
	const result = await modal(plan.title, (finish) => new Deed(plan, finish).parts());
	if (result && plan.next) return deed(plan.next(result));
	if (result && plan.secret) await showSecret(...plan.secret(result));
	else if (result) say(`${plan.title.replace("?", "")}: done. `, plan.link?.(result));
	return result;
}

class Deed {
	constructor(plan, finish) {
		Object.assign(this, { plan, finish });
		[this.facts, this.form] = ["facts", "fields"].map((name) => el("div", { class: name }));
		this.problem = el("div", { role: "alert" });
		this.yes = el("button", { type: "submit", class: plan.lost ? "danger" : "primary" }, plan.verb ?? plan.title.split(" ")[0]);
	}

	parts() {
		const onsubmit = (event) => {
			event.preventDefault();
			if (!this.yes.disabled && !this.yes.hidden) this.run();
		};
		this.look();
		this.yes.hidden = this.plan.tells;
		const cancel = button(this.plan.tells ? "Close" : "Cancel", () => this.finish(null), "", { autofocus: true });
		const pressed = el("div", { class: "buttons" }, cancel, this.yes);
		return [el("form", { novalidate: true, onsubmit }, this.facts, this.form, this.problem, pressed)];
	}

	async look() {
		this.yes.disabled = true;
		try {
			const answers = await forEach(this.plan.look ?? [], (path) => look(path, this.plan.of));
			this.etag = answers[0]?.etag;
			show(this.problem);
			this.draw(answers.map((answer) => answer.data));
			this.yes.disabled = false;
		} catch (refused) {
			this.tell(refused);
		}
	}

	draw(seen) {
		this.seen = seen;
		const told = (part) => [typeof part === "function" ? part(...seen) : part].flat().filter(Boolean);
		const [says, losses, barrier] = [this.plan.says, this.plan.lost, this.plan.blocked].map(told);
		show(
			this.facts,
			says.map((text) => (text.nodeType ? text : el("p", {}, text))),
			losses.length > 0 && [el("p", { class: "bad" }, "What will be lost:"), el("ul", {}, losses.map((line) => el("li", {}, line)))],
			barrier.length > 0 && el("p", { class: "note warn" }, barrier),
		);
		this.yes.hidden = barrier.length > 0 || this.plan.tells;
		// After another look what was typed stays.
		if (this.fields) return;
		const { fields = [] } = this.plan;
		this.fields = (typeof fields === "function" ? fields(...seen) : fields).filter(Boolean).map(field);
		show(this.form, this.fields.map((each) => each.node));
		setTimeout(() => this.fields[0]?.input.focus());
	}

	// Null where a field is wrong: it says so itself. Of a form for changes what was left as it was is left out.
	async values() {
		const values = {};
		let wrong = null;
		for (const each of this.fields) {
			try {
				const value = (await each.read()) ?? (this.plan.changes && each.empty);
				each.say("");
				if (!this.plan.changes || each.input.value !== each.first) values[each.name] = value;
			} catch (problem) {
				each.say(String(problem));
				wrong ??= each.input;
			}
		}
		wrong?.focus();
		return wrong ? null : values;
	}

	async run() {
		show(this.problem);
		const values = await this.values();
		if (!values) return;
		this.yes.disabled = true;
		try {
			const { act, send, of, body = () => (this.fields.length ? values : undefined) } = this.plan;
			const done = act ? act(values, this.etag) : write(send, of, { body: body(values, ...this.seen), etag: this.etag });
			this.finish((await done) ?? true);
		} catch (refused) {
			this.yes.disabled = false;
			if (refused.status === 412) this.tellStale();
			else this.tell(refused);
		}
	}

	tell(refused) {
		if (!(refused instanceof Refused)) console.error(refused);
		const word = isReadOnly(refused) ? "Nothing was changed: " : "Not done: ";
		show(this.problem, el("p", { class: "note bad" }, el("strong", {}, word), refused.message, "."));
	}

	tellStale() {
		const again = button("Look again", () => this.look().then(() => this.yes.focus()));
		const words = "the store was changed since this was shown. Look again to see it as it is now, and decide anew; what you typed stays.";
		show(this.problem, el("div", { class: "note warn" }, el("p", {}, el("strong", {}, "Not done: "), words), again));
		again.focus();
	}
}

export const FILE = ["data", "File", "file"];

// A deed with a file that is looked through by a dry run first. `then(seen, values)` is the plan that follows, which asks.
export function fileDeed({ send: call, then, ...plan }) {
	const send = ({ data, ...values }, isDry, etag) => {
		const text = `${JSON.stringify({ ...values, dry_run: isDry }).slice(0, -1)},"data":${data}}`;
		return write(call, {}, { text, etag });
	};
	return deed({
		...plan, verb: "Look through it",
		says: `${plan.says} Nothing is changed yet.`,
		act: async (values) => ({ seen: await send(values, true), values }),
		next: ({ seen, values }) => ({ ...then(seen, values), act: (_, etag) => send(values, false, etag) }),
	});
}

// Said at the edge of the page, where it moves nothing.
let timer = 0;

function say(...children) {
	show($("#said"), ...children);
	clearTimeout(timer);
	timer = setTimeout(() => show($("#said")), 9000);
}

// “1 API key”, “2,000 users”; with names the first of them.
export function counted(amount, noun, names = []) {
	const rest = names.length - 8;
	const listed = names.slice(0, 8).join(", ") + (rest > 0 ? ` and ${number(rest)} more` : "");
	return `${number(amount)} ${noun}${amount === 1 ? "" : "s"}${names.length ? `: ${listed}` : ""}`;
}

// The same, or nothing where there are none.
export const some = (names, noun) => names.length > 0 && counted(names.length, noun, names);

// The first lines of some more.
export function lines(all, total = 0, none = "None.") {
	if (!all.length) return none;
	const more = total > all.length && el("li", {}, `and ${number(total - all.length)} more`);
	return el("ul", { class: "lines" }, all.map((each) => el("li", {}, each)), more);
}

// What a dry run warns of.
export function warned({ warnings }) {
	const sum = warnings.length;
	return sum > 0 && el("div", { class: "note warn" }, counted(sum, "warning"), lines(warnings.slice(0, 50), sum));
}

export const download = (name, says, path, of, field) =>
	deed({
		title: `Download ${name}`,
		says,
		act: async () => {
			const text = toJson((await write(`POST ${path}`, of, { body: {} }))[field]);
			const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
			el("a", { href, download: `${name}.json` }).click();
			setTimeout(() => URL.revokeObjectURL(href), 1000);
		},
	});

// --- Fields: a label, help, a place for what is wrong, and what the API takes out of what was typed.
let count = 0;

// [name, label, kind, {value, optional, help, options, must}]; `kind` is one of KINDS, or what to pick: users, projects, configs; `must`
// is what has to be typed. `read()` gives undefined for an empty field, and throws a text where something is wrong.
function field([name, label, kind = "text", { value, optional, help, options, must } = {}]) {
	const { tag = "input", put = String, take = (text) => text, ...more } = KINDS[kind] ?? { proposes: kind };
	const id = `field-${++count}`;
	const say = (text) => {
		input.setAttribute("aria-invalid", Boolean(text));
		show(bad, text);
	};
	const choices = options?.map(([each, text]) => el("option", { value: each }, text)) ?? [];
	const proposals = more.proposes && el("datalist", { id: `${id}-list` });
	const described = { "aria-describedby": `${id}-help ${id}-bad`, list: proposals && proposals.id };
	const typing = { required: !optional, autocomplete: "off", spellcheck: "false" };
	const input = el(tag, { id, name, ...typing, ...more.attributes, ...described }, choices);
	const bad = el("p", { id: `${id}-bad`, class: "bad", role: "alert" });
	if (value !== undefined) input.value = put(value);
	input.checked = value === true;
	if (proposals) propose(input, proposals, more.proposes);
	const read = () => {
		const text = input.value.trim();
		if (must && text !== must) throw `Type “${must}” to go on`;
		if (!text && !optional) throw `${label} is needed`;
		return text ? take(text, label, input) : undefined;
	};
	const heading = el("label", { for: id }, label, optional && el("span", { class: "faint" }, " (optional)"));
	const hint = el("p", { id: `${id}-help`, class: "faint" }, help ?? more.help);
	const node = el("div", { class: kind === "check" ? "field check" : "field" }, heading, input, proposals, hint, bad);
	return { name, node, input, read, say, empty: more.empty, first: input.value };
}

function parsed(text, label) {
	try {
		return fromJson(text);
	} catch (problem) {
		throw `${label} is not JSON: ${problem.message}`;
	}
}

const pretty = (value) => toJson(value, 2);
const list = {
	tag: "textarea",
	put: (all) => (all.some((text) => /\n|^\s|\s$|^[[{]|^$/.test(text)) ? pretty(all) : all.join("\n")),
	take: (text, label) => (/^[[{]/.test(text) ? parsed(text, label) : text.split("\n").map((line) => line.trim()).filter(Boolean)),
};

const KINDS = {
	text: { empty: "" },
	secret: { attributes: { type: "password" } },
	check: { attributes: { type: "checkbox", required: false }, take: (...[, , input]) => input.checked },
	number: { take: Number, attributes: { type: "number", min: 1 } },
	select: { tag: "select" },
	json: { tag: "textarea", put: pretty, take: parsed, empty: {} },
	// JSON where it must be: an object of empty texts is a list of its names.
	lines: { ...list, empty: [] },
	names: {
		...list,
		empty: {},
		put: (all) => (Object.values(all).every((value) => value === "") ? list.put(Object.keys(all)) : pretty(all)),
		take: (...given) => [list.take(...given)].flat().reduce((all, each) => (each.at ? { ...all, [each]: "" } : each), {}),
	},
	// The file's text, known to be JSON, is sent as it stands: nothing in it is rounded.
	file: {
		attributes: { type: "file", accept: ".json,application/json" },
		take: async (_, label, input) => {
			const text = await input.files[0].text();
			parsed(text, label);
			return text;
		},
	},
};

// Out of what the store has. A convenience only: the deed itself says what is wrong.
function propose(input, place, what) {
	const bring = async () => {
		const { data } = await look(`/${what}`, {}, { term: input.value.trim(), limit: 20 }).catch(() => ({ data: [] }));
		show(place, data.map((row) => el("option", { value: row.email ?? row.project_name ?? row.mcp_config_name })));
	};
	input.onfocus = input.oninput = bring;
}
