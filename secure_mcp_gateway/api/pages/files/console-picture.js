// Who can reach what, as a picture: filtered by text, moved and zoomed, each node's reach brought out, by mouse or by keys alone.
import { el, number, show, svg } from "/assets/common.js";
import { FOUND } from "/assets/console-facts.js";
import { COLUMNS, HEIGHT, WIDTH, filtered, folded, graphOf, layout, many, openMore } from "/assets/console-graph.js";
import { button } from "/assets/console-deed.js";
import { link } from "/assets/console-table.js";

const FAR = 0.5; // below this scale names would be smudges
const HINT =
	"Click a node for its reach, a group to open it. To zoom: Ctrl and the wheel, two fingers, + and −; 0 for all. " +
	"Arrows, Enter and Escape work too. A green dot: guarded; another: it reaches nothing.";
const BEGIN = "There is nothing yet. Make a config with servers, a project that has it, users in the project, and their keys.";

export function picture(facts) {
	const drawn = new Picture(facts);
	// Sizes are known once it stands in the page.
	requestAnimationFrame(() => drawn.refresh());
	return drawn.node;
}

class Picture {
	open = new Map();
	asked = 0;

	constructor(facts) {
		this.facts = facts;
		[this.lines, this.spots, this.heads] = ["edges", "spots", "heads"].map((name) => svg("g", { class: name }));
		this.layer = svg("g", {}, this.lines, this.spots);
		const onclick = (event) => this.view.isDrag || this.choose(event.target.closest("[data-id]")?.dataset.id);
		const listens = { onkeydown: (event) => this.key(event), onclick };
		const band = svg("rect", { class: "band", width: "100%", height: 28 });
		this.svg = svg("svg", { role: "group", "aria-label": "Who can reach what", ...listens }, this.layer, band, this.heads);
		this.view = new View(this.svg, () => this.box, () => this.place());
		this.told = el("div", { class: "told", role: "status" });
		this.node = el("section", { class: "picture panel", "aria-label": "Picture" }, this.tools(), this.svg, this.told);
		new ResizeObserver(() => this.graph && !this.view.isMoved && this.view.fit()).observe(this.svg);
	}

	tools() {
		const oninput = () => {
			clearTimeout(this.timer);
			this.timer = setTimeout(() => this.refresh(), 250);
		};
		const placeholder = "A user, project, config, server or tool";
		this.filter = el("input", { type: "search", class: "searching", "aria-label": "Filter the picture", placeholder, oninput });
		this.count = el("span", { class: "faint", role: "status" });
		const reset = () => {
			this.open.clear();
			this.chosen = null;
			this.filter.value = "";
			this.refresh();
		};
		const deeds = [
			["−", "Zoom out", () => this.view.zoom(0.77)],
			["+", "Zoom in", () => this.view.zoom(1.3)],
			["All", "All in sight", () => this.view.fit(0)],
			["Reset", "Reset: fold all, clear all", reset],
		];
		const pressed = deeds.map(([text, title, act]) => button(text, act, "small", { title }));
		return el("div", { class: "tools" }, this.filter, this.count, el("span", { class: "paging" }, pressed));
	}

	// What is known at once, then what the server finds.
	async refresh() {
		const mine = ++this.asked;
		const term = this.filter.value.trim();
		this.draw(term, []);
		this.view.fit();
		if (!term) return;
		const found = await this.tried(() => this.facts.find(term));
		if (!found || mine !== this.asked) return;
		this.draw(term, found.map((id) => `u:${id}`));
		if (found.length === FOUND) show(this.count, `The first ${FOUND} users found`);
		this.view.fit();
	}

	async tried(act) {
		try {
			return (await act()) ?? true;
		} catch (refused) {
			return void show(this.told, el("p", { class: "bad" }, refused.message));
		}
	}

	draw(term = this.term, found = this.found) {
		Object.assign(this, { term, found });
		const whole = graphOf(this.facts);
		const [part, hits] = term ? filtered(whole, term, found) : [whole, new Set()];
		this.graph = folded(part, this.open, hits);
		({ places: this.places, ...this.box } = layout(this.graph, COLUMNS.length));
		show(this.lines, this.graph.edges.map((ends) => this.line(ends)));
		show(this.spots, [...this.graph.nodes.values()].map((node) => this.spot(node, hits)));
		const sums = COLUMNS.map((_, at) => (!term && this.facts.totals[at]) || part.column(at).reduce((sum, node) => sum + node.count, 0));
		show(this.heads, COLUMNS.map((name, at) => svg("text", { y: 19 }, `${name[0].toUpperCase()}${name.slice(1)}s (${number(sums[at])})`)));
		show(this.count, term && !this.graph.nodes.size ? "Nothing found" : "");
		if (!this.graph.nodes.has(this.chosen)) this.chosen = null;
		this.setCurrent(this.graph.nodes.has(this.current) ? this.current : this.spots.firstChild?.dataset.id);
		this.light();
	}

	line(ends) {
		const [[x, y], [toX, toY]] = ends.map((id) => this.places.get(id));
		const [from, middle, bend] = [x + WIDTH, HEIGHT / 2, (toX - x - WIDTH) / 2];
		const curve = [from + bend, y + middle, toX - bend, toY + middle, toX, toY + middle];
		return Object.assign(svg("path", { d: `M${from} ${y + middle}C${curve.join(" ")}` }), { ends });
	}

	spot({ id, column, name, about, place, fold, load, isAll, isGuarded }, hits) {
		const opens = fold || load;
		const box = { width: WIDTH, height: HEIGHT, rx: 4 };
		const label = [name, opens ? "group, opens" : COLUMNS[column], about].filter(Boolean).join(", ");
		return svg(
			"g",
			{
				class: `spot ${opens ? "many" : ""} ${hits.has(id) ? "hit" : ""} ${isAll ? "all" : ""}`,
				transform: `translate(${this.places.get(id)})`,
				role: "button", tabindex: -1, "data-id": id, "aria-pressed": !opens && "false", "aria-label": label,
			},
			svg("title", {}, [name, place, about].filter(Boolean).join("\n")),
			opens && svg("rect", { ...box, x: 3, y: 3 }),
			svg("rect", box),
			written(name, WIDTH - (about ? 30 : 16)),
			about && svg("circle", { class: isGuarded ? "good" : "", cx: WIDTH - 11, cy: HEIGHT / 2, r: 4 }),
		);
	}

	place() {
		const { x, y, scale } = this.view;
		this.layer.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
		this.svg.classList.toggle("far", scale < FAR);
		[...this.heads.children].forEach((head, at) => head.setAttribute("x", x + (at * (this.box.width - WIDTH) * scale) / 4));
	}

	// Whoever chooses nothing is in the picture all the same: its wheel and its keys work.
	choose(id) {
		const node = this.graph.nodes.get(id);
		if (node?.fold || node?.load) return this.unfold(node);
		this.chosen = id === this.chosen ? null : id;
		this.setCurrent(id ?? this.current, true, id);
		return this.light();
	}

	// Opens a group; what it hangs on stays where it is on the screen.
	async unfold(node) {
		const [anchor] = (node.column < 2 ? this.graph.out : this.graph.in).get(node.id);
		const before = this.places.get(anchor);
		if (!(await this.tried(() => node.load?.()))) return;
		openMore(this.open, node);
		this.draw();
		const after = this.places.get(anchor);
		if (before && after) this.view.pan(0, (before[1] - after[1]) * this.view.scale);
		if (after) this.setCurrent(anchor, true);
	}

	light() {
		const reach = this.chosen ? this.graph.reach([this.chosen]) : new Set();
		this.svg.classList.toggle("lit", reach.size > 0);
		for (const spot of this.spots.children) {
			const { id } = spot.dataset;
			spot.classList.toggle("on", reach.has(id));
			spot.classList.toggle("chosen", id === this.chosen);
			if (spot.hasAttribute("aria-pressed")) spot.setAttribute("aria-pressed", id === this.chosen);
		}
		for (const path of this.lines.children) path.classList.toggle("on", path.ends.every((id) => reach.has(id)));
		show(this.told, reach.size ? this.words(reach) : el("span", { class: "faint" }, this.term || this.spots.firstChild ? HINT : BEGIN));
	}

	// The reach in words.
	words(reach) {
		const { column, name, page, about, place } = this.graph.nodes.get(this.chosen);
		const sums = COLUMNS.map((_, at) => this.graph.column(at).reduce((sum, node) => sum + (reach.has(node.id) ? node.count : 0), 0));
		const list = (from, to) => COLUMNS.map((_, at) => at >= from && at < to && many(at, sums[at])).filter(Boolean).join(", ");
		return [
			`${COLUMNS[column]} `, page ? link(...page, name) : el("strong", {}, name), about && ` (${about})`,
			place && [" ", el("code", {}, place)], column < 4 && ` reaches ${list(column + 1, 5)}`,
			column > 0 && `${column < 4 ? "; it" : ""} is reached by ${list(0, column)}`, ".",
		];
	}

	// One node at a time is in the order of tabs.
	setCurrent(id, takesFocus = false, isShown = true) {
		const spotOf = (wanted) => [...this.spots.children].find((spot) => spot.dataset.id === wanted);
		spotOf(this.current)?.setAttribute("tabindex", "-1");
		this.current = id;
		spotOf(id)?.setAttribute("tabindex", "0");
		if (!takesFocus) return;
		spotOf(id)?.focus({ preventScroll: true });
		if (isShown) this.view.reveal(this.places.get(id), WIDTH, HEIGHT);
	}

	key(event) {
		const choose = () => this.choose(this.current);
		const deeds = {
			ArrowUp: () => this.step(0, -1), ArrowDown: () => this.step(0, 1), ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1),
			Enter: choose, " ": choose, Escape: () => this.choose(),
			"+": () => this.view.zoom(1.3), "-": () => this.view.zoom(0.77), 0: () => this.view.fit(0),
		};
		if (event.ctrlKey || event.metaKey || !deeds[event.key]) return;
		event.preventDefault();
		deeds[event.key]();
	}

	// Up and down in the column; left and right along a line where there is one, else to the nearest.
	step(across, along = 0) {
		const node = this.graph.nodes.get(this.current);
		const far = ({ id }) => this.places.get(id)[1] - this.places.get(node.id)[1];
		const all = this.graph.column(node.column + across).filter((each) => each !== node && (!along || far(each) * along > 0));
		const joined = all.filter(({ id }) => (across > 0 ? this.graph.out : this.graph.in).get(node.id).has(id));
		const [next] = (joined.length ? joined : all).sort((one, other) => Math.abs(far(one)) - Math.abs(far(other)));
		if (next) this.setCurrent(next.id, true);
	}
}

// A name, where it is too long cut by a box of its own with an ellipsis after it: it is read as it is.
let ruler = null;
const FROM_RIGHT = /^[^a-z\u00c0-\u058f]*[\u0590-\u08ff\ufb1d-\ufefc]/i;

function written(name, width) {
	if (!ruler) {
		ruler = document.createElement("canvas").getContext("2d");
		ruler.font = `12px ${getComputedStyle(document.body).fontFamily}`;
	}
	const wide = (text) => ruler.measureText(text).width;
	const whole = wide(name);
	const text = svg("text", { x: 9, y: 16 }, name);
	if (whole <= width) return text;
	// Of a very long name no more than could stand there is looked at.
	const signs = [...name.slice(0, width)];
	while (signs.length && wide(`${signs.join("")}…`) > width) signs.pop();
	const end = 9 + wide(signs.join("").trimEnd());
	const cut = (x, room, dots) => [
		svg("svg", { x, width: room, height: HEIGHT }, text),
		svg("text", { x: dots, y: 16, "aria-hidden": "true" }, "…"),
	];
	if (!FROM_RIGHT.test(name)) return cut(0, end, end);
	// It begins at its right end.
	text.setAttribute("x", end - 9 - whole);
	return cut(9 + wide("…"), end - 9, 9);
}

// --- Moving about, by dragging and zooming.
const READABLE = 1; // the smallest scale to begin with
const [TOP, EDGE] = [36, 14]; // room for headings, and around

class View {
	x = 0;
	y = 0;
	scale = 1;
	pointers = new Map(); // those that are down: id → [x, y]

	// `size()` gives {width, height, top} of what is drawn; `moved()` is called after each change.
	constructor(svg, size, moved) {
		Object.assign(this, { svg, size, moved });
		svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
		svg.addEventListener("pointerdown", (event) => this.press(event));
		svg.addEventListener("pointermove", (event) => this.drag(event));
		for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
	}

	get frame() {
		return { width: this.svg.clientWidth, height: this.svg.clientHeight };
	}

	// Whole, unless it would be smaller than that: then from where its first columns begin.
	fit(least = READABLE) {
		const [{ width, height, top }, frame] = [this.size(), this.frame];
		const high = frame.height - TOP - EDGE;
		this.scale = Math.max(least, Math.min(1.15, (frame.width - 2 * EDGE) / width, high / height));
		const left = high - height * this.scale;
		this.x = Math.max(EDGE, (frame.width - width * this.scale) / 2);
		this.y = TOP + (left > 0 ? left / 2 : Math.max(left, -top * this.scale));
		this.isMoved = false;
		this.moved();
	}

	// Around a point of the frame.
	zoom(factor, [atX, atY] = [this.frame.width / 2, this.frame.height / 2]) {
		const scale = Math.min(2.5, Math.max(0.05, this.scale * factor));
		const [x, y] = [atX - this.x, atY - this.y];
		this.pan(x - (x * scale) / this.scale, y - (y * scale) / this.scale, scale);
	}

	// A part of the picture stays in sight.
	pan(x, y, scale = this.scale) {
		const [{ width, height }, frame] = [this.size(), this.frame];
		this.scale = scale;
		this.x = Math.min(frame.width - 80, Math.max(80 - width * scale, this.x + x));
		this.y = Math.min(frame.height - 40, Math.max(TOP + 20 - height * scale, this.y + y));
		this.isMoved = true;
		this.moved();
	}

	// Brings a place into sight.
	reveal([left, top], width, height) {
		const { scale, frame } = this;
		const need = (start, length, from, to) => Math.max(from - start, 0) || Math.min(to - start - length, 0);
		const x = need(this.x + left * scale, width * scale, EDGE, frame.width - EDGE);
		const y = need(this.y + top * scale, height * scale, TOP, frame.height - EDGE);
		if (x || y) this.pan(x, y);
	}

	// Elsewhere the wheel scrolls the page. A touchpad's pinch comes as a wheel with Ctrl.
	wheel(event) {
		if (!event.ctrlKey && !event.metaKey && !this.svg.contains(document.activeElement)) return;
		event.preventDefault();
		const by = (-event.deltaY * (event.deltaMode ? 16 : 1)) / 100;
		this.zoom(Math.exp(Math.min(0.3, Math.max(-0.3, by))), this.point(event));
	}

	point({ clientX, clientY }) {
		const { left, top } = this.svg.getBoundingClientRect();
		return [clientX - left, clientY - top];
	}

	press(event) {
		if (event.button) return;
		if (event.isPrimary) this.pointers.clear();
		if (!this.pointers.size) this.dragged = 0;
		this.pointers.set(event.pointerId, this.point(event));
	}

	drag(event) {
		const before = this.pointers.get(event.pointerId);
		if (!before || !(event.buttons & 1)) return;
		const now = this.point(event);
		const [x, y] = [now[0] - before[0], now[1] - before[1]];
		const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
		this.pointers.set(event.pointerId, now);
		this.dragged += Math.abs(x) + Math.abs(y);
		if (!this.isDrag) return;
		this.svg.setPointerCapture(event.pointerId);
		if (!other) return this.pan(x, y);
		// Of two the middle moves by half.
		const far = (place) => Math.max(1, Math.hypot(place[0] - other[0], place[1] - other[1]));
		this.pan(x / 2, y / 2);
		return this.zoom(far(now) / far(before), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
	}

	// A click at the end of a drag is none.
	get isDrag() {
		return this.dragged > 4;
	}
}
