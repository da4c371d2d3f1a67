// Configs: their list, and one of them with its servers and their tools.
import { el, number } from "/assets/common.js";
import { list, look, write } from "/assets/console-api.js";
import { counted, deed, download, some } from "/assets/console-deed.js";
import { badge, buttons, configLink, facts, heading, listPage, projectLinks } from "/assets/console-table.js";

const CONFIG = "/configs/{mcp_config_id}";
const SERVER = `${CONFIG}/servers/{server_name}`;
const projectNames = (projects) => some(projects.map((each) => each.project_name), "project");

export const configsPage = (root) =>
	listPage(root, "Configs", [["New config", makeConfig, "primary"], ["Import", importConfig]], (changed) => ({
		searches: "Config or server",
		columns: [
			["Config", configLink],
			["Servers", (config) => number(config.servers)],
			["Used by", (config) => projectLinks(config.used_by_projects)],
			["", (config) => buttons([["Export", () => exportConfig(config)], ["Delete", () => deleteConfig(config), "danger"]], changed, config.mcp_config_name)],
		],
		load: (query) => list("/configs", query, async (row) => ({ used_by_projects: (await look(`${CONFIG}/projects`, row)).data })),
	}));

const makeConfig = () => deed({ title: "New config", verb: "Create config", send: "POST /configs", fields: [["config_name", "Name"]], link: configLink });

// The file is sent as its text stands.
const importConfig = () =>
	deed({
		title: "Import a config", says: "An export of this product, or a config of Enkrypt's gateway.", link: (made) => [configLink(made), made.warnings.map((each) => ` ${each}.`)],
		fields: [["config_name", "Name of the new config"], ["data", "File", "file"]],
		act: ({ config_name: name, data }) => write("POST /configs/import", {}, { text: `{"config_name":${JSON.stringify(name)},"data":${data}}` }),
	});

const exportConfig = (config) =>
	download(config.mcp_config_name, "A JSON file with all servers, secrets in headers and variables included.", `${CONFIG}/export`, config, "config");

const deleteConfig = (config) =>
	deed({
		title: `Delete ${config.mcp_config_name}?`, verb: "Delete config", of: config, look: [CONFIG, `${CONFIG}/projects`], send: `DELETE ${CONFIG}`,
		lost: (now) => [`The config ${now.mcp_config_name}`, some(now.mcp_config.map((server) => server.server_name), "server")],
		blocked: (_, projects) => projects.length > 0 && `It is used by ${projectNames(projects)}. Give them another config first.`,
	});

export async function configPage(root, id, _, redraw) {
	const [{ data: config }, projects] = await Promise.all([look("/configs/{id}", { id }), look("/configs/{id}/projects", { id }, { limit: 3 })]);
	const servers = config.mcp_config;
	const deeds = [
		["Add server", () => addServer(config), "primary"],
		["Export", () => exportConfig(config)],
		["Delete", async () => (await deleteConfig(config)) && (location.hash = "#/configs"), "danger"],
	];
	const card = (server) => {
		const of = { ...config, ...server };
		return serverCard(server, buttons([["Edit", () => editServer(of)], ["Delete", () => deleteServer(of), "danger"]], redraw, server.server_name));
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

export const guards = (server) => ["input", "output", "tool"].filter((kind) => server[`${kind}_guardrails_policy`]?.enabled === true);

export function serverCard(server, deeds = []) {
	const { all, names, denied } = allowedTools(server);
	const tags = (kind, texts) => el("span", { class: "names" }, texts.map((text) => el("code", { class: kind }, text)));
	return el(
		"article",
		{ class: "panel card" },
		el("header", {}, el("h3", {}, server.server_name), el("span", { class: "deeds" }, deeds)),
		el("p", {}, server.description),
		el("p", {}, el("code", {}, placeOf(server))),
		facts(
			["Tools", all ? badge("warn", "all tools") : names.length ? tags("", names) : badge("", "none allowed")],
			denied.length > 0 && ["Denied", tags("bad", denied)],
			["Guardrails", guards(server).length ? guards(server).map((each) => badge("good", each)) : "none"],
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

const placed = ({ place, ...values }) => (place ? { ...values, [/^https?:\/\//i.test(place) ? "server_url" : "server_command"]: place } : values);

const addServer = (config) =>
	deed({ title: `Add a server to ${config.mcp_config_name}`, verb: "Add server", fields: fields(), of: config, send: `POST ${CONFIG}/servers`, body: placed });

// Only what was changed is sent.
const editServer = (of) =>
	deed({
		title: `Change ${of.server_name}`, verb: "Save", changes: true, of, look: [SERVER], fields, send: `PUT ${SERVER}`,
		body: ({ server_name: name, ...values }) => placed({ ...values, ...(name && { new_server_name: name }) }),
	});

const deleteServer = (of) =>
	deed({
		title: `Delete ${of.server_name}?`, verb: "Delete server", of, look: [SERVER, `${CONFIG}/projects`], send: `DELETE ${SERVER}`,
		lost: (now, projects) => {
			const { all, names } = allowedTools(now);
			const tools = all ? "all its tools" : counted(names.length, "tool", names);
			return [`The server ${now.server_name} with its guardrails and ${tools}`, projects.length > 0 && `What it gives to ${projectNames(projects)}`];
		},
	});
