// The console: asks for a key, then shows what the key may see.
import { $, Refused, currentKey, el, onKey, send, setKey, show, themeSwitch } from "/assets/common.js";
import { isReadOnly, onRefusal } from "/assets/console-api.js";
import { configPage, configsPage } from "/assets/console-configs.js";
import { button } from "/assets/console-deed.js";
import { adminsPage, keysPage } from "/assets/console-keys.js";
import { settingsPage } from "/assets/console-settings.js";
import { overviewPage, ownPage, storePage } from "/assets/console-store.js";
import { failed, heading } from "/assets/console-table.js";
import { projectPage, projectsPage, userPage, usersPage } from "/assets/console-users.js";

// What stands in the address, what draws it, and for a page of the menu its name.
const PAGES = {
	overview: [overviewPage, "Overview"], users: [usersPage, "Users"], projects: [projectsPage, "Projects"], configs: [configsPage, "Configs"],
	keys: [keysPage, "API keys"], admins: [adminsPage, "Admin keys"], settings: [settingsPage, "Settings"],
	store: [storePage, "Store and audit"],
	user: [userPage], project: [projectPage], config: [configPage],
};
const OWN = { own: [ownPage, "My access"] };

const main = $("#main");
let me = null;
let opened = 0;
let why = ""; // the key is asked for

onKey((key) => !key && prompt());
onRefusal(hear);
addEventListener("hashchange", () => {
	if (!me || location.hash === "#main") return;
	// On the way back a question about what is left behind is answered with no; a new secret stays.
	$("dialog:not(:has(#secret))")?.close();
	open().then(() => scrollTo(0, 0));
});
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
		show(said);
		use.disabled = true;
		const problem = await enter(input.value.trim());
		use.disabled = false;
		if (!problem) return;
		show(said, `${problem}.`);
		input.select();
	};
	const use = el("button", { type: "submit", class: "primary" }, "Open the console");
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
			use,
		),
	);
	input.focus();
}

// What is wrong with the key, or nothing.
async function enter(bearer) {
	const answer = await send("GET", "/api/v1/whoami", { bearer });
	// What the API says after that is for programs.
	if (!answer.ok) return new Refused(answer).message.split("; ")[0];
	me = answer.data.data;
	setKey(bearer);
	const name = me.name ? `Admin key ${me.name}` : me.email;
	show($("#end"), el("span", { class: "key-said", title: name }, name), button("Forget key", () => setKey("")), themeSwitch());
	const rooms = Object.entries(pages()).filter(([, [, label]]) => label).map(([page, [, label]]) => el("a", { href: `#/${page}` }, label));
	// A link to where one is already shows it anew.
	const onclick = ({ target }) => target.hash === location.hash && open(history.replaceState(null, ""));
	const content = el("div", { class: "content" }, el("div", { id: "banner" }), el("div", { id: "page" }));
	show(
		main,
		el("div", { class: "shell" }, el("nav", { class: "rooms", "aria-label": "Console", onclick }, rooms), content),
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
	for (const each of document.querySelectorAll(".rooms a")) {
		const isHere = each.hash.startsWith(`#/${name}`);
		each.setAttribute("aria-current", isHere ? "page" : "false");
		// Where the menu is narrower than its rooms.
		if (isHere) each.parentNode.scrollLeft = each.offsetLeft - 48;
	}
	$("#page").setAttribute("aria-busy", true);
	try {
		await pages()[name][0](root, decodeURIComponent(rest), me, open);
		// Shown when its lists have their rows, so that nothing moves.
		await Promise.all([...root.querySelectorAll(".listing")].map((list) => list.ready));
	} catch (refused) {
		if (!(refused instanceof Refused)) console.error(refused);
		root.append(heading(refused.status === 404 ? "Not found" : "Not loaded"), failed(refused, open));
	}
	if (mine !== opened || !me) return;
	const title = $("h1", root);
	document.title = `${title.textContent} · Secure MCP Gateway`;
	$("#page").replaceWith(root);
	if (!document.querySelector("dialog")) title.focus({ preventScroll: true });
}
