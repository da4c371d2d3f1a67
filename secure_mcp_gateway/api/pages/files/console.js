// The console: asks for a key, then shows what the key may see.
import { $, Refused, currentKey, el, onKey, send, setKey, show, themeSwitch } from "/assets/common.js";
import { isReadOnly, onRefusal } from "/assets/console-api.js";
import { configPage, configsPage } from "/assets/console-configs.js";
import { button } from "/assets/console-deed.js";
import { adminsPage, keysPage } from "/assets/console-keys.js";
import { overviewPage, ownPage, storePage } from "/assets/console-store.js";
import { projectPage, projectsPage, userPage, usersPage } from "/assets/console-users.js";

// What stands in the address, what draws it, and for a page of the menu its name.
const PAGES = {
	overview: [overviewPage, "Overview"], users: [usersPage, "Users"], projects: [projectsPage, "Projects"], configs: [configsPage, "Configs"],
	keys: [keysPage, "API keys"], admins: [adminsPage, "Admin keys"], store: [storePage, "Store and audit"],
	user: [userPage], project: [projectPage], config: [configPage],
};
const OWN = { own: [ownPage, "My access"] };

const main = $("#main");
let me = null;
let opened = 0;
let why = ""; // the key is asked for

onKey((key) => !key && prompt());
onRefusal(hear);
addEventListener("hashchange", () => me && location.hash !== "#main" && open());
$(".skip").onclick = (event) => {
	event.preventDefault();
	main.focus();
};
prompt();

function hear(problem) {
	if (isReadOnly(problem)) show($("#banner"), el("p", { class: "note warn" }, "This server is read-only: nothing can be changed here."));
	if (problem.status !== 401 || !currentKey()) return;
	why = `The key works no longer: ${problem.message}.`;
	document.querySelector("dialog")?.close();
	setKey("");
}

function prompt() {
	me = null;
	const said = el("p", { class: "said bad", role: "alert", id: "key-bad" }, why);
	why = "";
	const input = el("input", {
		id: "key", type: "password", required: true, autocomplete: "off", spellcheck: "false", placeholder: "smga_… or smg_…",
		"aria-describedby": "key-help key-bad",
	});
	const onsubmit = async (event) => {
		event.preventDefault();
		const problem = await enter(input.value.trim());
		if (!problem) return;
		show(said, `${problem}.`);
		input.select();
	};
	show($("#end"), themeSwitch());
	show(
		main,
		el(
			"form",
			{ class: "panel prompt", onsubmit },
			el("h1", {}, "Console"),
			el("label", { for: "key" }, "Admin key or API key"),
			input,
			el("p", { id: "key-help", class: "faint" }, "Kept in this page's memory only: a reload asks again. A user's key shows what it reaches."),
			said,
			el("button", { type: "submit", class: "primary" }, "Open the console"),
		),
	);
	input.focus();
}

// What is wrong with the key, or nothing.
async function enter(bearer) {
	const answer = await send("GET", "/api/v1/whoami", { bearer });
	if (!answer.ok) return new Refused(answer).message;
	me = answer.data.data;
	setKey(bearer);
	const name = me.name ? `Admin key ${me.name}` : me.email;
	show($("#end"), el("span", { class: "key-said", title: name }, name), button("Forget key", () => setKey("")), themeSwitch());
	const rooms = Object.entries(pages()).filter(([, [, label]]) => label).map(([page, [, label]]) => el("a", { href: `#/${page}` }, label));
	const content = el("div", { class: "content" }, el("div", { id: "banner" }), el("div", { id: "page" }));
	show(
		main,
		el("div", { class: "shell" }, el("nav", { class: "rooms", "aria-label": "Console" }, rooms), content),
		el("div", { id: "said", role: "status" }),
	);
	open();
	return null;
}

const pages = () => (me.kind === "admin" ? PAGES : OWN);

async function open() {
	const mine = ++opened;
	const [, page, rest = ""] = location.hash.match(/^#\/([a-z]+)\/?(.*)$/) ?? [];
	const name = page in pages() ? page : Object.keys(pages())[0];
	const root = el("div", { id: "page" });
	try {
		await pages()[name][0](root, decodeURIComponent(rest), me, open);
		// Shown when its lists have their rows, so that nothing moves.
		await Promise.all([...root.querySelectorAll(".listing")].map((list) => list.ready));
	} catch (refused) {
		if (!(refused instanceof Refused)) console.error(refused);
		root.append(el("p", { class: "note bad", role: "alert" }, refused.message));
	}
	if (mine !== opened || !me) return;
	for (const each of document.querySelectorAll(".rooms a")) {
		const isHere = each.hash.startsWith(`#/${name}`);
		if (isHere) {
			document.title = `${each.textContent} · Secure MCP Gateway`;
			// Where the menu is narrower than its rooms.
			each.parentNode.scrollLeft = each.offsetLeft - 48;
		}
		each.setAttribute("aria-current", isHere ? "page" : "false");
	}
	$("#page").replaceWith(root);
	if (!document.querySelector("dialog")) $("h1", root)?.focus({ preventScroll: true });
}
