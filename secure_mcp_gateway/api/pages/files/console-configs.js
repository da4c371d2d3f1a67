// Configs: their list, and one of them with its servers and their tools.
import { el, number } from "/assets/common.js";
import { list, look } from "/assets/console-api.js";
import { FILE, counted, deed, download, fileDeed, lines, some, warned } from "/assets/console-deed.js";
import { badge, buttons, configLink, facts, heading, listPage, projectLinks } from "/assets/console-table.js";

const CONFIG = "/configs/{mcp_config_id}";
const SERVER = `${CONFIG}/servers/{server_name}`;
const serverNames = (config) => some(config.mcp_config.map((server) => server.server_name), "server");
const projectNames = (projects) => some(projects.map((each) => each.project_name), "project");

export const configsPage = (root) =>
	listPage(root, "Configs", [["New config", makeConfig, "primary"], ["Import", importConfig]], (changed) => ({
		searches: "Config or server",
		columns: [
			["Config", configLink],
			["Servers", (config) => number(config.servers)],
			["Used by", (config) => projectLinks(config.used_by_projects)],
			["", (config) => buttons(deedsOf(config), changed, config.mcp_config_name)],
		],
		load: (query) => list("/configs", query, async (row) => ({ used_by_projects: (await look(`${CONFIG}/projects`, row)).data })),
	}));

const deedsOf = (config) => [
	["Copy", () => copyConfig(config)], ["Export", () => exportConfig(config)], ["Delete", () => deleteConfig(config), "danger"],
];

const makeConfig = () =>
	deed({ title: "New config", verb: "Create config", send: "POST /configs", fields: [["config_name", "Name"]], link: configLink });

const importConfig = () =>
	fileDeed({
		title: "Import a config", send: "POST /configs/import", fields: [["config_name", "Name of the new config"], FILE],
		says: "An export of this product, or a config of Enkrypt's gateway.",
		then: (seen, { data }) => ({
			title: `Import ${seen.config_name}?`, link: configLink,
			says: [`A new config with ${counted(seen.servers, "server")}. No project uses it yet.`, come(data), warned(seen)],
		}),
	});

// The servers of a file that a dry run found good, in whichever of its forms.
function come(text) {
	const serversIn = (it) => it.mcp_config ?? (it.data ?? it.config ? serversIn(it.data ?? it.config) : it);
	const all = serversIn(JSON.parse(text));
	const line = (server) => [el("strong", {}, server.server_name), " ", el("code", {}, placeOf(server))];
	return lines(all.slice(0, 50).map(line), all.length, "");
}

const copyConfig = (config) =>
	deed({
		title: `Copy ${config.mcp_config_name}`, verb: "Make a copy", says: "With all its servers, secrets included. No project uses the copy.",
		fields: [["target_config", "Name of the copy"]], link: configLink, send: "POST /configs/copy",
		body: (values) => ({ ...values, source_config: config.mcp_config_id }),
	});

const renameConfig = (config) =>
	deed({
		title: `Rename ${config.mcp_config_name}`, verb: "Save", of: config, look: [CONFIG], send: `PUT ${CONFIG}/rename`, link: configLink,
		says: "Projects keep it. Scripts that name it need the new name.",
		fields: (now) => [["new_name", "Name", "text", { value: now.mcp_config_name }]],
	});

const validate = (config) =>
	deed({
		title: `Validation of ${config.mcp_config_name}`, tells: true, of: config, look: [`POST ${CONFIG}/validate`],
		says: ({ issues }) =>
			issues.length
				? issues.map((each) => el("p", {}, badge("bad", "issue"), ` ${each}`))
				: el("p", {}, badge("good", "valid"), " Nothing was found that cannot work."),
	});

const exportConfig = (config) => {
	const says = "A JSON file with all servers, secrets in headers and variables included.";
	return download(config.mcp_config_name, says, `${CONFIG}/export`, config, "config");
};

const removeServers = (config) =>
	deed({
		title: `Remove all servers from ${config.mcp_config_name}?`, verb: "Remove servers", of: config, send: `DELETE ${CONFIG}/servers`,
		look: [CONFIG, `${CONFIG}/projects`],
		lost: (now, projects) => [serverNames(now), projects.length > 0 && `All that it gives to ${projectNames(projects)}`],
	});

const deleteConfig = (config) =>
	deed({
		title: `Delete ${config.mcp_config_name}?`, verb: "Delete config", of: config, send: `DELETE ${CONFIG}`,
		look: [CONFIG, `${CONFIG}/projects`],
		lost: (now) => [`The config ${now.mcp_config_name}`, serverNames(now)],
		blocked: (_, projects) => projects.length > 0 && `It is used by ${projectNames(projects)}. Give them another config first.`,
	});

export async function configPage(root, id, _, redraw) {
	const asked = [look("/configs/{id}", { id }), look("/configs/{id}/projects", { id }, { limit: 3 })];
	const [{ data: config }, projects] = await Promise.all(asked);
	const servers = config.mcp_config;
	const deeds = [
		["Add server", () => addServer(config), "primary"],
		["Validate", () => validate(config)],
		["Rename", () => renameConfig(config)],
		["Copy", () => copyConfig(config)],
		["Export", () => exportConfig(config)],
		servers.length > 0 && ["Remove all servers", () => removeServers(config), "danger"],
		["Delete", async () => (await deleteConfig(config)) && (location.hash = "#/configs"), "danger"],
	];
	const card = (server) => {
		const of = { ...config, ...server };
		const pressed = [["Edit", () => editServer(of)], ["Delete", () => deleteServer(of), "danger"]];
		const guard = (kind) => {
			const isOn = guards(server).includes(kind);
			return buttons([[`${kind} ${isOn ? "on" : "off"}`, () => editPolicy(of, kind), isOn && "good"]], redraw, `in ${server.server_name}`);
		};
		return serverCard(server, buttons(pressed, redraw, server.server_name), guard);
	};
	root.append(
		heading(config.mcp_config_name, buttons(deeds, redraw)),
		facts(["Used by", projectLinks(projects.data, projects.total)]),
		el("h2", {}, `Servers (${number(servers.length)})`),
		el("div", { class: "cards" }, servers.length ? servers.map(card) : "None yet: whoever has this config can reach nothing."),
	);
}

// --- Servers
// Which tools a call gets through to. An empty list allows all; what is denied stays refused.
export function allowedTools({ tools = {}, denied_tools: denied = [] }) {
	const listed = Object.entries(tools);
	const names = listed.filter(([name, value]) => value?.enabled !== false && !denied.includes(name)).map(([name]) => name);
	return { all: listed.length === 0, names, denied };
}

// Its URL, or its command line.
export const placeOf = ({ config }) => config.url ?? [config.command, ...(config.args ?? [])].join(" ");

const GUARDS = ["input", "output", "tool"];
export const guards = (server) => GUARDS.filter((kind) => server[`${kind}_guardrails_policy`]?.enabled === true);

// `guard(kind)` is what changes a policy.
export function serverCard(server, deeds = [], guard) {
	const { all, names, denied } = allowedTools(server);
	const tags = (kind, texts) => el("span", { class: "names" }, texts.map((text) => el("code", { class: kind }, text)));
	const guarded = guards(server).map((each) => badge("good", each));
	return el(
		"article",
		{ class: "panel card" },
		el("header", {}, el("h3", {}, server.server_name), el("span", { class: "deeds" }, deeds)),
		el("p", {}, server.description),
		el("p", {}, el("code", {}, placeOf(server))),
		facts(
			["Tools", all ? badge("warn", "all tools") : names.length ? tags("", names) : badge("", "none allowed")],
			denied.length > 0 && ["Denied", tags("bad", denied)],
			["Guardrails", el("span", { class: "deeds" }, guard ? GUARDS.map(guard) : guarded.length ? guarded : "none")],
		),
	);
}

const PARTS = [
	["args", "Arguments of the command", "lines"],
	["tools", "Allowed tools", "names", "One in a line, or the API's JSON. Empty: all."],
	["denied_tools", "Denied tools", "lines", "Refused, whatever is allowed. One in a line."],
	["env", "Variables of the command", "json", '{"NAME": "value"}'],
	["headers", "Headers for the URL", "json", '{"Name": "value"}'],
	["description", "Description", "text"],
];

function fields(server = { config: {} }) {
	const value = (name) => server.config[name] ?? server[name];
	const shown = (name) => (Object.keys(value(name) ?? "").length ? value(name) : undefined);
	return [
		["server_name", "Name", "text", { value: server.server_name, help: "A-Z a-z 0-9 _ . -, at most 64." }],
		["place", "Command or URL", "text", { value: value("url") ?? value("command"), help: "Such as npx, or the URL of an MCP server." }],
		...PARTS.map(([name, label, kind, help]) => [name, label, kind, { optional: true, value: shown(name), help }]),
	];
}

const placed = ({ place, ...values }) =>
	place ? { ...values, [/^https?:\/\//i.test(place) ? "server_url" : "server_command"]: place } : values;

const addServer = (config) =>
	deed({
		title: `Add a server to ${config.mcp_config_name}`, verb: "Add server", fields: fields(), of: config, send: `POST ${CONFIG}/servers`,
		body: (values) => placed(values),
	});

const whose = (_, projects) => projects.length > 0 && `A change is at once one for ${projectNames(projects)}.`;

// Only what was changed is sent.
const editServer = (of) =>
	deed({
		title: `Change ${of.server_name}`, verb: "Save", changes: true, of, send: `PUT ${SERVER}`,
		look: [SERVER, `${CONFIG}/projects`], says: whose, fields: (now) => fields(now),
		body: ({ server_name: name, ...values }) => placed({ ...values, ...(name && { new_server_name: name }) }),
	});

// What the form does not know of a policy stays.
const editPolicy = (of, kind) => {
	const policy = (server) => server[`${kind}_guardrails_policy`] ?? {};
	return deed({
		title: `The ${kind} guardrail of ${of.server_name}`, verb: "Save", of, send: `PUT ${SERVER}/${kind}-guardrails`,
		look: [SERVER, `${CONFIG}/projects`], says: whose,
		lost: (now) => policy(now).enabled && `The policy ${policy(now).policy_name ?? ""} as it is now, which is on`,
		fields: (now) => {
			const { enabled = false, policy_name: name, block, additional_config: more } = policy(now);
			return [
				["enabled", "State", "select", { value: enabled, options: [["true", "on"], ["false", "off"]] }],
				["policy_name", "Name of the policy", "text", { value: name, optional: true }],
				["block", "What it blocks", "lines", { value: block, optional: true, help: "One in a line, such as pii." }],
				["additional_config", "More settings", "json", { value: more, optional: true, help: '{"name": value}' }],
			];
		},
		body: (values, now) => ({ policy: { ...policy(now), ...values, enabled: values.enabled === "true" } }),
	});
};

const deleteServer = (of) =>
	deed({
		title: `Delete ${of.server_name}?`, verb: "Delete server", of, look: [SERVER, `${CONFIG}/projects`], send: `DELETE ${SERVER}`,
		lost: (now, projects) => {
			const { all, names } = allowedTools(now);
			const tools = all ? "all its tools" : counted(names.length, "tool", names);
			return [
				`The server ${now.server_name} with its guardrails and ${tools}`,
				projects.length > 0 && `What it gives to ${projectNames(projects)}`,
			];
		},
	});
