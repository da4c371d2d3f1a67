// API keys and admin keys: their lists, and what is done to one of them.
import { el, setKey, time } from "/assets/common.js";
import { forEach, look, write } from "/assets/console-api.js";
import { deed } from "/assets/console-deed.js";
import { badge, buttons, listPage, projectLink, userLink } from "/assets/console-table.js";

const EXPIRY = ["expires_in_days", "Expires in days", "number", { optional: true, help: "1 to 3650. Empty: never." }];
const MOST_USERS = 100; // whose keys a search looks at
const STOPS = "it stops working at once, whoever uses it";

const hasExpired = (key) => key.expires_at !== null && new Date(key.expires_at) <= new Date();
const state = (key) => (key.disabled ? badge("", "disabled") : hasExpired(key) ? badge("bad", "expired") : badge("good", "active"));
const coded = (id, key) => el("span", { class: "mono" }, id, el("span", { class: "faint" }, ` …${key.hint}`));
const cut = (all, { limit, offset }) => ({ data: all.slice(offset, offset + limit), total: all.length });
const has = (term, ...texts) => texts.join("\n").toLowerCase().includes(term.toLowerCase());

// The plans of the key that is in use here (`isMine`) say so; with its new secret the page goes on.
function keyButtons(key, changed, isMine) {
	const isAdmin = "admin_key" in key;
	const [noun, path] = isAdmin ? ["admin key", "/admin-keys/{admin_key}"] : ["API key", "/api-keys/{api_key}"];
	const name = isAdmin ? key.name : key.api_key;
	const says = isAdmin ? key.admin_key : `Of ${key.user_email ?? "nobody"}, in the project ${key.project_name ?? "that is gone"}.`;
	const now = (seen) => (isAdmin ? seen.find((each) => each.admin_key === key.admin_key) ?? key : seen);
	const act = (verb, send, lost, more) => () => {
		const losses = (seen) => [lost(now(seen).hint), isMine && "It is the key that this page uses"];
		const loss = { look: [isAdmin ? "/admin-keys" : path], lost: losses };
		return deed({ title: `${verb} the ${noun} ${name}?`, verb, says, of: key, send, ...(lost && loss), ...more });
	};
	const secret = (given) => {
		if (isMine) setKey(given.admin_key_secret);
		return ["The new secret", given.admin_key_secret ?? given.api_key, `${name}. ${says}`];
	};
	const [rotate, body] = isAdmin ? [`POST ${path}/rotate`] : ["POST /api-keys/rotate", () => ({ api_key: name })];
	const isUsable = !key.disabled && !hasExpired(key);
	const deeds = [
		isUsable && ["Rotate", act("Rotate", rotate, (hint) => `The present secret (…${hint}): ${STOPS}`, { body, secret })],
		key.disabled
			? ["Enable", act("Enable", `POST ${path}/enable`)]
			: ["Disable", act("Disable", `POST ${path}/disable`, () => "All access with it, until it is enabled again")],
		["Delete", act("Delete", `DELETE ${path}`, (hint) => `1 ${noun} (…${hint}), for good: ${STOPS}`), "danger"],
	];
	return buttons(deeds, changed, name);
}

export const keyColumns = (changed) => [
	["Key", (key) => coded(key.api_key, key)],
	["User", (key) => userLink({ ...key, email: key.user_email })],
	["Project", projectLink],
	["State", state],
	["Expires", (key) => time(key.expires_at)],
	["", (key) => keyButtons(key, changed)],
];

// What is known of user and project is not asked.
export const makeKey = ({ user, project, projects }) =>
	deed({
		title: "Make an API key", verb: "Make key",
		says: [user && `For ${user.email}.`, project && `In the project ${project.project_name}.`],
		fields: [
			!user && ["user", "User", "users"],
			projects && ["project_id", "Project", "select", { options: projects.map((each) => [each.project_id, each.project_name]) }],
			!project && !projects && ["project_name", "Project", "projects", { help: "One that the user is in." }],
			EXPIRY,
		],
		act: ({ user: named, ...values }) =>
			write("POST /users/{user}/api-keys", { user: user?.user_id ?? named }, { body: { project_id: project?.project_id, ...values } }),
		secret: (given) => ["The new API key", given.api_key, `Its public id is ${given.api_key_id}.`],
	});

export const keysPage = (root) =>
	listPage(root, "API keys", [["Make key", () => makeKey({}), "primary"]], (changed) => ({
		searches: "User or project",
		filters: [
			["disabled", "State", [["", "all"], ["false", "not disabled"], ["true", "disabled"]]],
			["expires_within_days", "Expires", [["", "any time"], ["7", "within 7 days"], ["30", "within 30 days"], ["90", "within 90 days"]]],
		],
		columns: keyColumns(changed),
		load: ({ term, ...query }) => (term ? found(term, query) : look("/api-keys", {}, query)),
	}));

// The API has no search for keys: these are the keys of the users that are found.
async function found(term, { disabled, expires_within_days: days, ...page }) {
	const isSoon = (key) => key.expires_at && !hasExpired(key) && new Date(key.expires_at) - Date.now() <= days * 86_400_000;
	const suits = (key) => (!disabled || String(key.disabled) === disabled) && (!days || isSoon(key));
	const { data: users } = await look("/users", {}, { term, limit: MOST_USERS });
	const keys = await forEach(users, async (user) => (await look("/users/{user_id}/api-keys", user)).data);
	return cut(keys.flat().filter((key) => has(term, key.user_email, key.project_name) && suits(key)), page);
}

const makeAdminKey = () =>
	deed({
		title: "Make an admin key", verb: "Make admin key", says: "It may do everything, this console included.", send: "POST /admin-keys",
		fields: [["name", "Name", "text", { help: "Whose or what for." }], EXPIRY],
		secret: (given) => ["The new admin key", given.admin_key_secret, `${given.name}, ${given.admin_key}.`],
	});

export const adminsPage = (root, _, me) =>
	listPage(root, "Admin keys", [["Make admin key", makeAdminKey, "primary"]], (changed) => ({
		searches: "Name or id",
		columns: [
			["Name", (key) => [`${key.name} `, key.name === me.name && badge("accent", "in use here")]],
			["Id", (key) => coded(key.admin_key, key)],
			["State", state],
			["Expires", (key) => time(key.expires_at)],
			["", (key) => keyButtons(key, changed, key.name === me.name)],
		],
		// There are few, and the API has no search for them.
		load: async ({ term = "", ...page }) => cut((await look("/admin-keys")).data.filter((key) => has(term, key.name, key.admin_key)), page),
	}));
