// Users and projects: their lists, and one of them with what hangs on it.
import { el, number, time } from "/assets/common.js";
import { list, look, write } from "/assets/console-api.js";
import { counted, deed, download, some } from "/assets/console-deed.js";
import { keyColumns, makeKey } from "/assets/console-keys.js";
import {
	badge, buttons, configLink, facts, heading, listPage, listing, projectLink, projectLinks, userLink,
} from "/assets/console-table.js";

const [USER, PROJECT] = ["/users/{user_id}", "/projects/{project_id}"];
const hints = (keys) => keys.map((key) => `…${key.hint} (${key.project_name})`);
const keyCount = (each) => number(each.api_keys);

// --- Users
export const usersPage = (root) =>
	listPage(root, "Users", [["New user", makeUser, "primary"]], (changed) => ({
		searches: "E-mail address or project",
		columns: [
			["E-mail", userLink],
			["Projects", (user) => projectLinks(user.projects)],
			["API keys", keyCount],
			["Made", (user) => time(user.created_at)],
			["", (user) => buttons([["Delete", () => deleteUser(user), "danger"]], changed, user.email)],
		],
		// A whole user's keys are a list.
		load: (query) => list("/users", query, async (user) => ({ ...(await look(USER, user)).data, api_keys: user.api_keys })),
	}));

const makeUser = () =>
	deed({ title: "New user", verb: "Create user", send: "POST /users", fields: [["email", "E-mail address"]], link: userLink });

const deleteUser = (user) =>
	deed({
		title: `Delete ${user.email}?`, verb: "Delete user", of: user, look: [USER], send: `DELETE ${USER}`, body: () => ({ force: true }),
		lost: (now) => [
			`The user ${now.email}`, some(hints(now.api_keys), "API key"), some(now.projects.map((each) => each.project_name), "membership"),
		],
	});

const leave = (user, project) =>
	deed({
		title: `Remove ${user.email} from ${project.project_name}?`, of: { ...user, ...project }, send: `DELETE ${PROJECT}${USER}`,
		look: [`${USER}/api-keys`],
		lost: (keys) => [
			`Its access to the project ${project.project_name}`,
			some(hints(keys.filter((key) => key.project_id === project.project_id)), "API key"),
		],
	});

const join = (user) =>
	deed({
		title: `Add ${user.email} to a project`, fields: [["project", "Project", "projects"]],
		act: ({ project }) => write("POST /projects/{project}/users", { project }, { body: { user_id: user.user_id } }),
	});

const changeAddress = (user) =>
	deed({
		title: `Change the address of ${user.email}`, verb: "Save", of: user, look: [USER], send: `PUT ${USER}`, link: userLink,
		says: "Projects and API keys stay as they are.",
		fields: (now) => [["new_email", "E-mail address", "text", { value: now.email }]],
	});

const deleteKeys = (user) =>
	deed({
		title: `Delete all keys of ${user.email}?`, verb: "Delete keys", of: user, look: [`${USER}/api-keys`], send: `DELETE ${USER}/api-keys`,
		lost: (keys) => [some(hints(keys), "API key"), "Each stops working at once, whoever uses it"],
	});

export async function userPage(root, id, _, redraw) {
	const { data: user } = await look("/users/{id}", { id });
	const { projects } = user;
	const deeds = [
		projects.length > 0 && ["Make key", () => makeKey({ user, projects }), "primary"],
		["Add to project", () => join(user), projects.length ? "" : "primary"],
		["Change address", () => changeAddress(user)],
		user.api_keys.length > 0 && ["Delete all keys", () => deleteKeys(user), "danger"],
		["Delete", async () => (await deleteUser(user)) && (location.hash = "#/users"), "danger"],
	];
	const leaves = (each) => buttons([["Remove", () => leave(user, each), "danger"]], redraw, `from ${each.project_name}`);
	root.append(
		heading(user.email, buttons(deeds, redraw)),
		facts(["Made", time(user.created_at)]),
		el("h2", {}, "Projects"),
		listing({
			name: "Projects of the user", columns: [["Project", projectLink], ["Keys for it", keyCount], ["", leaves]],
			load: (query) => look(`${USER}/projects`, user, query),
		}),
		el("h2", {}, "API keys"),
		listing({ name: "API keys of the user", columns: keyColumns(redraw), load: (query) => look(`${USER}/api-keys`, user, query) }),
	);
}

// --- Projects
const configOf = ({ mcp_config: config }) => (config ? configLink(config) : badge("warn", "no config"));

export const projectsPage = (root) =>
	listPage(root, "Projects", [["New project", makeProject, "primary"]], (changed) => ({
		searches: "Project or a user's address",
		columns: [
			["Project", projectLink], ["Config", configOf], ["Users", (project) => number(project.users)], ["API keys", keyCount],
			["", (project) => buttons(deedsOf(project), changed, project.project_name)],
		],
		load: (query) => list("/projects", query, async (row) => ({ ...(await look(PROJECT, row)).data, users: row.users })),
	}));

const deedsOf = (project) => [
	["Add user", () => addUser(project)], ["Assign config", () => assign(project)], ["Delete", () => deleteProject(project), "danger"],
];

const makeProject = () =>
	deed({ title: "New project", verb: "Create project", send: "POST /projects", fields: [["project_name", "Name"]], link: projectLink });

const assign = (project) =>
	deed({
		title: `Assign a config to ${project.project_name}`, of: project, look: [PROJECT], send: `POST ${PROJECT}/assign-config`,
		says: (now) => `It is for ${counted(now.users.length, "user")}.`,
		lost: (now) => now.mcp_config && `Their reach by the config ${now.mcp_config.mcp_config_name}, which it replaces`,
		fields: [["config_name", "Config", "configs"]],
	});

const unassign = (project) =>
	deed({
		title: `Take the config away from ${project.project_name}?`, verb: "Take config away",
		of: project, look: [PROJECT], send: `POST ${PROJECT}/unassign-config`,
		lost: ({ users, mcp_config: config }) =>
			config && `Access of ${counted(users.length, "user")} to all servers of ${config.mcp_config_name}; the config itself stays`,
	});

const addUser = (project) =>
	deed({
		title: `Add a user to ${project.project_name}`, of: project, send: `POST ${PROJECT}/users`, fields: [["email", "User", "users"]],
	});

const membersOf = (project) => some(project.users.map((user) => user.email), "membership");

const deleteProject = (project) =>
	deed({
		title: `Delete ${project.project_name}?`, verb: "Delete project", of: project, look: [PROJECT], send: `DELETE ${PROJECT}`,
		lost: (now) => [`The project ${now.project_name}`, membersOf(now)],
		blocked: ({ api_keys: keys }) =>
			keys > 0 && `It has ${counted(keys, "API key")}. Remove its users first: their keys for it go with them.`,
	});

const removeAll = (project) =>
	deed({
		title: `Remove all users from ${project.project_name}?`, of: project, look: [PROJECT], send: `DELETE ${PROJECT}/users`,
		lost: (now) => [membersOf(now), `${counted(now.api_keys, "API key")} for this project`],
	});

export async function projectPage(root, id, _, redraw) {
	const { data: project } = await look("/projects/{id}", { id });
	const { project_name: name, users: { length: isManned } } = project;
	const says = "A JSON file with project, users and config, secrets in headers and variables included; never a key.";
	const deeds = [
		["Add user", () => addUser(project), "primary"],
		[project.mcp_config ? "Change config" : "Assign config", () => assign(project)],
		project.mcp_config && ["Take config away", () => unassign(project), "danger"],
		["Export", () => download(name, says, `${PROJECT}/export`, project, "project")],
		isManned && ["Remove all users", () => removeAll(project), "danger"],
		["Delete", async () => (await deleteProject(project)) && (location.hash = "#/projects"), "danger"],
	];
	const ofUser = (user) =>
		buttons([["Make key", () => makeKey({ user, project })], ["Remove", () => leave(user, project), "danger"]], redraw, user.email);
	root.append(
		heading(name, buttons(deeds, redraw)),
		facts(["Config", configOf(project)], ["API keys", keyCount(project)], ["Made", time(project.created_at)]),
		el("h2", {}, "Users"),
		listing({
			name: "Users of the project", columns: [["E-mail", userLink], ["Keys for it", keyCount], ["", ofUser]],
			load: (query) => look(`${PROJECT}/users`, project, query),
		}),
	);
}
