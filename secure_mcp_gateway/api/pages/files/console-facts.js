// What the picture is drawn from: of a large store a part, and more where somebody looks.
import { forEach, look } from "/assets/console-api.js";

const ALL_USERS = 60; // so many or fewer are drawn one by one
const [MOST_PROJECTS, MOST_CONFIGS, PAGE] = [1000, 100, 25];
export const FOUND = 12; // users that a search puts into the picture

export class Facts {
	users = new Map();
	projects = new Map();
	configs = new Map();

	constructor(users, projects, configs) {
		this.totals = [users.total, projects.total, configs.total];
		for (const config of configs.data) this.configs.set(config.mcp_config_id, config);
		for (const project of projects.data) this.projects.set(project.project_id, project);
		if (users.total <= ALL_USERS) for (const user of users.data) this.users.set(user.user_id, user);
	}

	// How many members of a project are not among the known users.
	rest({ project_id: id, users }) {
		const isMember = (user) => user.projects.some((each) => each.project_id === id);
		return Math.max(0, (users.length ?? users) - [...this.users.values()].filter(isMember).length);
	}

	// Users with all their projects, so that their reach is whole.
	async addUsers(users) {
		const unknown = users.filter((user) => !this.users.has(user.user_id));
		const projectsOf = async (user) => (await look("/users/{user_id}/projects", user)).data;
		await forEach(unknown, async (user) => this.users.set(user.user_id, { ...user, projects: await projectsOf(user) }));
		return this.load([...new Set(unknown.flatMap((user) => this.users.get(user.user_id).projects.map((each) => each.project_id)))]);
	}

	// Projects that were named, and the servers of the configs in use.
	async load(ids = []) {
		const missing = ids.filter((id) => !this.projects.has(id));
		await forEach(missing, async (id) => this.projects.set(id, (await look("/projects/{id}", { id })).data));
		const used = new Set([...this.configs.keys(), ...[...this.projects.values()].map((project) => project.mcp_config?.mcp_config_id)]);
		const waiting = [...used].filter((id) => id && !this.configs.get(id)?.mcp_config);
		await forEach(waiting, async (id) => this.configs.set(id, (await look("/configs/{id}", { id })).data));
		return this;
	}

	// More members of a project.
	async loadMembers(project) {
		const { data } = await look("/projects/{project_id}/users", project, { limit: PAGE, offset: project.next });
		project.next = (project.next ?? 0) + PAGE;
		await this.addUsers(data);
	}

	// Puts what the server finds among what is known, and gives the ids of the users found.
	async find(term) {
		if (this.totals[0] <= ALL_USERS) return [];
		const { data } = await look("/users", {}, { term, limit: PAGE });
		const found = data.filter((user) => user.match_type === "email").slice(0, FOUND);
		await this.addUsers(found);
		return found.map((user) => user.user_id);
	}
}

export async function adminFacts() {
	const lists = [["/users", ALL_USERS], ["/projects", MOST_PROJECTS], ["/configs", MOST_CONFIGS]];
	return new Facts(...(await forEach(lists, ([path, limit]) => look(path, {}, { limit })))).load();
}

// What a user's own key may see; of the other members of its project it sees none.
export async function ownFacts(email) {
	const [{ data: user }, projects, configs] = await forEach(["/users/{email}", "/projects", "/configs"], (path) => look(path, { email }));
	projects.data.forEach((project) => (project.users = 1));
	return new Facts({ data: [user], total: 1 }, projects, configs).load();
}
