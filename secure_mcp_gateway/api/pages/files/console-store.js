// The first page with its picture and what needs attention, and what a user's own key sees.
import { el, number, show, time } from "/assets/common.js";
import { look } from "/assets/console-api.js";
import { serverCard } from "/assets/console-configs.js";
import { FILE, counted, deed, download, fileDeed, lines, some, warned } from "/assets/console-deed.js";
import { adminFacts, ownFacts } from "/assets/console-facts.js";
import { picture } from "/assets/console-picture.js";
import { toJson } from "/assets/json.js";
import { badge, buttons, facts, failed, heading, listPage, userLink } from "/assets/console-table.js";

const SUMS = [["Users", "users"], ["Projects", "projects"], ["Configs", "configs"], ["Servers", "configs"], ["API keys", "keys"]];
const DAYS = 14;
const DAY = 86_400_000;

export function overviewPage(root) {
	const sums = el("dl", { class: "tiles" });
	const frame = el("div", { class: "picture-frame" });
	const [sound, soon, last] = ["Health", `Keys that expire within ${DAYS} days`, "Last changes"].map(panel);
	showSums(sums);
	root.append(heading("Overview", buttons([["Back up", backup]])), sums, frame, el("div", { class: "panels" }, sound, soon, last));
	fill(frame, async () => picture(await adminFacts()));
	fill(sound.lastChild, async () => {
		const { data } = await look("/system/health");
		showSums(sums, data);
		return health(data);
	});
	fill(soon.lastChild, async () => {
		const { data, total } = await look("/api-keys", {}, { expires_within_days: DAYS, limit: 100 });
		return lines(data.sort((one, other) => new Date(one.expires_at) - new Date(other.expires_at)).map(expiring), total);
	});
	fill(last.lastChild, async () => lines((await look("/system/audit", {}, { limit: 20 })).data.map(change)));
}

const panel = (name) =>
	el("section", { class: "panel fixed" }, el("h2", {}, name), el("div", { tabindex: 0, role: "region", "aria-label": name }));

const fill = (place, make) =>
	make().then(
		(made) => show(place, made),
		(refused) => show(place, failed(refused, () => fill(place, make))),
	);

function showSums(sums, data) {
	const tile = (name, page, content) =>
		el("div", { class: "panel" }, el("dt", {}, name), el("dd", {}, data ? el("a", { href: `#/${page}` }, content()) : "…"));
	const sum = (name) => () => number(data.statistics[`total_${name.toLowerCase().replace(" ", "_")}`]);
	const state = () => el("span", { class: data.status === "healthy" ? "good" : "bad" }, data.status);
	show(sums, SUMS.map(([name, page]) => tile(name, page, sum(name))), tile("Store", "store", state));
}

function health({ issues, warnings }) {
	const told = (kind, name, texts) => texts.map((text) => [badge(kind, name), " ", text]);
	const all = [...told("bad", "issue", issues), ...told("warn", "warning", warnings)];
	return lines(all.slice(0, 100), all.length, "Healthy: no issues, no warnings.");
}

const expiring = (key) => [
	badge("warn", counted(Math.ceil((new Date(key.expires_at) - Date.now()) / DAY), "day")), " ",
	userLink({ ...key, email: key.user_email }), ` in ${key.project_name}, `, time(key.expires_at),
];

const result = (line) => badge(line.result === "ok" ? "good" : "bad", line.result.replaceAll("_", " "));
const change = (line) => [
	time(line.time), " ", el("strong", {}, line.operation), ` ${named(line)} by ${line.actor.name} `, line.result !== "ok" && result(line),
];

// What a line of the audit is about: its names rather than its ids.
function named({ named: all }) {
	const names = Object.keys(all).filter((key) => !/_id$|identifier|^data$/.test(key));
	return names.slice(0, 3).map((key) => String(all[key])).join(", ");
}

// --- The store as a whole, and what was done to it.
const SINCE = [["", "the beginning"], ["1", "a day ago"], ["7", "a week ago"], ["30", "a month ago"]];
const MOST_LINES = 50; // of what a setup changes
const RECENT = 500; // lines whose operations and actors can be chosen

export async function storePage(root) {
	const { data: recent } = await look("/system/audit", {}, { limit: RECENT });
	const choice = (of) => [["", "any"], ...[...new Set(recent.map(of))].sort().map((each) => [each, each])];
	const whole = (line) => el("span", { title: toJson(line.named) }, named(line) || Object.values(line.named).slice(0, 2).join(", "));
	const deeds = [
		["Back up", backup, "primary"], ["Export setup", exportSetup], ["Apply setup", apply],
		["Restore", restore, "danger"], ["Reset", reset, "danger"],
	];
	listPage(root, "Store and audit", deeds, () => ({
		name: "Audit",
		filters: [
			["days", "Since", SINCE],
			["operation", "Operation", choice((line) => line.operation)],
			["actor", "Who", choice((line) => line.actor.name)],
		],
		columns: [
			["Operation", (line) => line.operation], ["What", whole], ["Who", (line) => el("span", { title: line.actor.id }, line.actor.name)],
			["When", (line) => time(line.time)], ["Result", result],
		],
		load: ({ days, ...query }) => look("/system/audit", {}, { ...query, since: days && new Date(Date.now() - days * DAY).toISOString() }),
	}));
}

const NOUNS = ["user", "project", "config", "API key"];
const sums = (counts) => NOUNS.map((noun) => counted(counts[`${noun.toLowerCase().replace(" ", "_")}s`], noun)).join(", ");
const everything = ({ statistics: now }) =>
	`All but the admin keys: ${sums(Object.fromEntries(Object.entries(now).map(([name, sum]) => [name.replace("total_", ""), sum])))}`;
const JOIN = "Who holds one of them may do everything here.";
const safe = (done) => done.safety_backup && `Safety backup: ${done.safety_backup}`;
const SAFE = "A safety backup is made first, beside the store on the server's machine.";

// Those of a backup have names.
function admins(text) {
	const keysIn = (it) => it.admin_keys ?? (it.data ?? it.backup ? keysIn(it.data ?? it.backup) : {});
	const keys = Object.values(keysIn(JSON.parse(text)));
	return some(keys.map((key) => key.name), "admin key") || "The file's admin key";
}

const restore = () =>
	fileDeed({
		title: "Restore from a file", says: "A backup of this product, or a file of Enkrypt's gateway.", send: "POST /system/restore",
		fields: [FILE, ["with_admin_keys", "Take over its admin keys too", "check", { help: `${JOIN} Those of now stay in any case.` }]],
		then: (seen, { data, with_admin_keys: withAdmins }) => ({
			title: "Restore the file over this store?", verb: "Restore", look: ["/system/health"], lost: everything, link: safe,
			says: [
				`The file holds ${sums(seen)}.`,
				withAdmins && el("p", { class: "note warn" }, `${admins(data)} will join those of now. ${JOIN}`),
				warned(seen), SAFE,
			],
		}),
	});

const apply = () =>
	fileDeed({
		title: "Apply a setup", send: "POST /system/apply",
		says: "Makes configs, projects, members and users as one document says, such as Export setup writes.",
		fields: [
			FILE,
			["prune", "Take away what it does not name", "check", { help: "In the sections that it has. API keys go with what they are for." }],
		],
		then: (seen) => {
			const done = (...actions) => seen.changes.filter((each) => actions.includes(each.action)).map(inWords);
			const [made, lost] = [done("create"), [...done("remove"), ...done("change")]];
			const rest = lost.length - MOST_LINES;
			return {
				title: "Apply the setup?", verb: "Apply", look: ["/system/health"], link: safe,
				says: [made.length ? lines(made.slice(0, MOST_LINES), made.length) : "It makes nothing new.", warned(seen)],
				lost: lost.length > 0 && [
					...lost.slice(0, MOST_LINES), rest > 0 && `${number(rest)} more`, `${counted(seen.api_keys_deleted, "API key")} in all`,
				],
			};
		},
	});

const inWords = ({ action, kind, name, fields, config, project }) =>
	`${action} ${kind} ${name}${config ?? project ? ` in ${config ?? project}` : ""}${fields.length ? `: ${fields.join(", ")}` : ""}`;

const reset = () =>
	deed({
		title: "Reset the store?", verb: "Reset", look: ["/system/health"], lost: everything, send: "POST /system/reset",
		says: ["It starts over with what a new store begins with. The admin keys stay.", SAFE],
		fields: [["word", "Type reset to go on", "text", { must: "reset" }]], body: () => ({ confirm: true }),
		link: safe,
	});

const SETUP = "A JSON file with configs, projects and users, secrets in headers and variables included; never a key.";
const exportSetup = () => download("setup", SETUP, "/system/export-desired", {}, "desired");

const backup = () =>
	download(
		`backup ${new Date().toISOString().slice(0, 10)}`,
		"A JSON file with everything, also what stands in headers and variables; of keys their digests. Keep it as safe as the store.",
		"/system/backup", {}, "backup",
	);

export async function ownPage(root, _, me) {
	const known = await ownFacts(me.email);
	const [config] = known.configs.values();
	root.append(
		heading(me.email),
		el("p", { class: "note" }, "This is a user's key: it shows what is its own and changes nothing."),
		facts(["Project", me.project.project_name], ["The key expires", time(me.expires_at)]),
		el("div", { class: "picture-frame" }, picture(known)),
		el("h2", {}, config ? `Servers of ${config.mcp_config_name}` : "The project has no config"),
		el("div", { class: "cards" }, config?.mcp_config.map((server) => serverCard(server))),
	);
}
