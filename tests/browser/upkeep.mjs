// What an administrator does now and then in the console, each deed checked against the API.

import { check, given, settle } from "./browser.mjs";
import { ONLY, button, deed, dialogOf, done, names, openRow, saved } from "./deeds.mjs";
import { api, openRoom } from "./views.mjs";

const [CONFIG, COPY, RENAMED] = ["Customer data", "Customer data as it was", "Customers"];
const [PROJECT, EMAIL, CHANGED] = ["Harbour", "vera@example.com", "vera.linde@example.com"];
const LINES = 30; // of the audit, so that there is another page

async function changeConfig(page) {
  await openRow(page, "Configs", CONFIG);
  await button(page, "Validate").click();
  await dialogOf(page).getByText("valid", { exact: true }).waitFor();
  check("a validation tells what it found and has nothing to send", (await dialogOf(page).getByRole("button").count()) === 1);
  await page.keyboard.press("Escape");
  await done(page);
  await deed(page, "Copy", { "Name of the copy": COPY });
  await done(page);
  const servers = async (name) => (await api("GET", `/configs/${name}`)).data?.mcp_config;
  const [first, copy] = [await servers(CONFIG), await servers(COPY)];
  check("a copy has the same servers", first.length > 0 && JSON.stringify(copy) === JSON.stringify(first), copy);
  await openRow(page, "Configs", COPY);
  await deed(page, "Rename", { Name: RENAMED });
  await done(page);
  const statuses = await Promise.all([COPY, RENAMED].map(async (name) => (await api("GET", `/configs/${name}`)).status));
  check("a renamed config has its new name and no other", String(statuses) === "404,200", statuses);
  await openRow(page, "Configs", RENAMED);
  await changeServer(page, first[0].server_name);
}

async function changeServer(page, name) {
  const server = async () => (await api("GET", `/configs/${RENAMED}/servers/${name}`)).data;
  const before = (await server()).input_guardrails_policy;
  const given = { State: "off", "What it blocks": "pii\nsecrets", "More settings": '{"depth": 3}' };
  await deed(page, `input on in ${name}`, given, names("change a guardrail", before.policy_name));
  await done(page);
  const { input_guardrails_policy: after } = await server();
  const isChanged = after.enabled === false && String(after.block) === "pii,secrets" && after.additional_config?.depth === 3;
  check("a guardrail policy is changed, and what was not named stays", isChanged && after.policy_name === before.policy_name, after);
  await deed(page, `input off in ${name}`, { State: "on", "More settings": "" });
  await done(page);
  const { input_guardrails_policy: last } = await server();
  check("an emptied field of a policy is gone", last.enabled && !("additional_config" in last), last);
  await keepNumbers(page, name);
  await api("POST", "/projects", { project_name: PROJECT });
  await api("POST", `/projects/${PROJECT}/assign-config`, { config_name: RENAMED });
  const isTold = (text) => check("a changed server: whom it concerns is told", text.includes(`1 project: ${PROJECT}`), text);
  await deed(page, `Edit ${name}`, { "Allowed tools": "look\npoint" }, isTold);
  await done(page);
  check("the allowed tools of a server are changed", Object.keys((await server()).tools).join() === "look,point", await server());
}

// What JavaScript would round or write otherwise stays as it was written, in what is changed and in what is not.
async function keepNumbers(page, name) {
  const text = async () => (await api("GET", `/configs/${RENAMED}/servers/${name}`)).text.replace(/\s/g, "");
  const settings = '{"seed": 9007199254740993, "least": -123456789012345678901, "share": 1.0}';
  await deed(page, `tool off in ${name}`, { "More settings": settings });
  await done(page);
  const tools = '{"look": {"limit": 9007199254740995}}';
  await deed(page, `Edit ${name}`, { "Allowed tools": tools });
  await done(page);
  const before = await text();
  check("a typed number is kept, however large", [settings, tools].every((each) => before.includes(each.replace(/\s/g, ""))), before);
  await deed(page, `tool off in ${name}`, { State: "on" });
  await done(page);
  await deed(page, `Edit ${name}`, { Description: "With large numbers" });
  await done(page);
  const after = await text();
  const isKept = [settings, tools].every((each) => after.includes(each.replace(/\s/g, "")));
  check("a change of something else leaves large numbers as they are", isKept && after.includes("Withlargenumbers"), after);
  const tried = await saved(page, () => deed(page, "Export", {}));
  check("an export has large numbers as they are", tried.text.includes("9007199254740993"), tried.text);
}

async function emptyConfig(page) {
  const { data: servers } = await api("GET", `/configs/${RENAMED}/servers`);
  await openRow(page, "Configs", RENAMED);
  const parts = ["server", ...servers.map((each) => each.server_name), `1 project: ${PROJECT}`];
  await deed(page, "Remove all servers", {}, names("remove all servers", ...parts));
  await done(page);
  const { data: left } = await api("GET", `/configs/${RENAMED}/servers`);
  check("all servers of a config are removed", left.length === 0 && servers.length > 0, left);
  check("where there are none that is not offered", (await button(page, "Remove all servers").count()) === 0);
}

async function changeTeam(page) {
  // The project that changeConfig made.
  await api("POST", `/projects/${PROJECT}/assign-config`, { config_name: CONFIG });
  await api("POST", "/users", { email: EMAIL });
  await openRow(page, "Users", EMAIL);
  await deed(page, "Add to project", { [ONLY]: PROJECT });
  await done(page);
  check("a user is added to a project from its own page", (await api("GET", `/users/${EMAIL}`)).data.projects.length === 1);
  const { data: made } = await api("POST", `/users/${EMAIL}/api-keys`, { project_name: PROJECT });
  await openRow(page, "Users", EMAIL);
  await deed(page, "Change address", { "E-mail address": CHANGED });
  await done(page);
  const { data: user } = await api("GET", `/users/${CHANGED}`);
  check("a changed address leaves keys and projects", user?.api_keys.length === 1 && user.projects.length === 1, user);
  await openRow(page, "Users", CHANGED);
  await deed(page, "Delete all keys", {}, names("delete all keys of a user", made.api_key.slice(-4), PROJECT));
  await done(page);
  check("all keys of a user are deleted", (await api("GET", `/users/${CHANGED}`)).data.api_keys.length === 0);
  await openRow(page, "Projects", PROJECT);
  await deed(page, "Take config away", {}, names("take a config away", "1 user", CONFIG));
  await done(page);
  check("a project has no config any more", (await api("GET", `/projects/${PROJECT}`)).data.mcp_config === null);
}

const count = (page) => page.locator("#page .count").innerText();
const cells = (page, label) => page.locator(`#page td[data-label="${label}"]`).allInnerTexts();

async function choose(page, label, value) {
  await page.getByRole("combobox", { name: label }).selectOption(value);
  await page.waitForTimeout(200);
  await settle(page);
}

async function filterKeys(page) {
  await openRoom(page, "API keys");
  await choose(page, "State", "disabled");
  const { data: disabled } = await api("GET", "/api-keys?disabled=true");
  const states = await cells(page, "State");
  check("keys are filtered by their state", states.length === disabled.length && states.every((each) => each === "disabled"), states);
  await choose(page, "State", "all");
  await choose(page, "Expires", "within 7 days");
  const { data: soon } = await api("GET", "/api-keys?expires_within_days=7");
  check("keys are filtered by when they expire", soon.length > 0 && (await count(page)).endsWith(` ${soon.length}`), await count(page));
}

async function readAudit(page) {
  for (let at = 0; at < LINES; at++) await api("POST", `/api-keys/key_0000000000000000/${at % 2 ? "enable" : "disable"}`);
  await openRoom(page, "Store and audit");
  const first = await count(page);
  await button(page, "Next").click();
  await settle(page);
  check("the audit has pages", first.startsWith("1–25 of ") && (await count(page)).startsWith("26–"), [first, await count(page)]);
  await choose(page, "Operation", "user disable-api-key");
  const operations = await page.locator("#page tbody th").allInnerTexts();
  check("the audit is filtered", operations.length >= LINES / 2 && operations.every((each) => each === "user disable-api-key"), operations);
}

// From a page that a list leads to back to the list as it was left; and a list whose server did not answer, once it does.
async function comeBack(page) {
  for (let at = 0; at < LINES; at++) await api("POST", "/users", { email: `guest${at}@example.com` });
  await openRoom(page, "Users");
  await page.getByRole("searchbox").fill("guest");
  await page.waitForTimeout(300);
  await button(page, "Next").click();
  await settle(page);
  const left = await count(page);
  await page.locator("#page tbody a").first().click();
  await page.getByRole("heading", { level: 1, name: "guest" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: "Users" }).waitFor();
  await settle(page);
  const found = [await count(page), await page.getByRole("searchbox").inputValue()];
  check("the way back leads to the list as it was left", found[0] === left && found[1] === "guest" && left.startsWith("26–"), found);
  const down = (route) => route.abort();
  await page.route("**/api/v1/users?*", down);
  await openRoom(page, "Users");
  const note = page.getByRole("alert").getByText("The server cannot be reached");
  await note.waitFor();
  await page.unroute("**/api/v1/users?*", down);
  await button(page, "Try again").click();
  await note.waitFor({ state: "detached" });
  check("where a server did not answer one can try again", (await count(page)).startsWith("1–25"), await count(page));
  await button(page, "New user").click();
  await dialogOf(page).waitFor();
  await page.goBack();
  await settle(page);
  check("a dialog is gone with the page that it was about", (await dialogOf(page).count()) === 0);
  await page.evaluate(() => (location.hash = "#/config/none"));
  await page.getByRole("heading", { level: 1, name: "Not found" }).waitFor();
  check("what is not there is said with its name", (await page.getByRole("alert").innerText()).includes("'none'"));
}

const file = (name, content) => ({ name, mimeType: "application/json", buffer: Buffer.from(content) });

async function restoreStore(page) {
  await openRoom(page, "Store and audit");
  const { name, text } = await saved(page, () => deed(page, "Back up"));
  await deed(page, "Restore", { File: file("no.json", '{"kind": "other"}') });
  await dialogOf(page).getByText(/^Not done/).waitFor();
  await page.keyboard.press("Escape");
  await done(page);
  await api("POST", "/users", { email: "late@example.com" });
  const { total_users: users } = (await api("GET", "/system/health")).data.statistics;
  // A key whose user is in no project arrives disabled, which is a warning.
  const odd = JSON.parse(text);
  const [[id]] = Object.entries(odd.members);
  delete odd.members[id];
  await deed(page, "Restore", { File: file(name, JSON.stringify(odd)) });
  await dialogOf(page).getByText(/will be lost/).waitFor();
  await settle(page);
  const said = await dialogOf(page).innerText();
  names("restore", `${users} users`, "safety backup", `${users - 1} users`)(said);
  check("the warnings of a dry run are shown before anything is changed", /\d warning/.test(said) && said.includes("disabled"), said);
  await page.keyboard.press("Escape");
  await done(page);
  check("a restore that is not confirmed changes nothing", (await api("GET", "/users/late@example.com")).status === 200);
  await deed(page, "Restore", { File: file(name, text) });
  await dialogOf(page).getByText(/will be lost/).waitFor();
  await settle(page);
  await dialogOf(page).locator("[type=submit]").click();
  await done(page);
  const { statistics } = (await api("GET", "/system/health")).data;
  const isGone = (await api("GET", "/users/late@example.com")).status === 404;
  check("a restore brings back what the file holds, and the key goes on", isGone && statistics.total_users === users - 1, statistics);
}

// The file's admin keys come only where they are asked for, after a word on what that means.
async function restoreAdmins(page) {
  const { data: late } = await api("POST", "/admin-keys", { name: "Late" });
  await openRoom(page, "Store and audit");
  const { name, text } = await saved(page, () => deed(page, "Back up"));
  await api("DELETE", `/admin-keys/${late.admin_key}`);
  const status = async () => {
    return (await fetch(`${given.base}/api/v1/whoami`, { headers: { Authorization: `Bearer ${late.admin_key_secret}` } })).status;
  };
  for (const isWanted of [false, true]) {
    await deed(page, "Restore", { File: file(name, text), "Take over": isWanted });
    await dialogOf(page).getByText(/will be lost/).waitFor();
    await settle(page);
    const said = await dialogOf(page).innerText();
    const isTold = /2 admin keys: .*Late.* may do everything/.test(said);
    check(`a restore tells of the file's admin keys where they come (${isWanted})`, isTold === isWanted, said);
    await dialogOf(page).locator("[type=submit]").click();
    await done(page);
    check(`a restore takes the file's admin keys over if that was asked for (${isWanted})`, (await status()) === (isWanted ? 200 : 401));
  }
}

async function applySetup(page) {
  await openRoom(page, "Store and audit");
  const { name, text } = await saved(page, () => deed(page, "Export setup"));
  const setup = JSON.parse(text);
  const { users } = setup;
  setup.users = [...users.slice(1), "setup@example.com"];
  const gone = users[0].email ?? users[0];
  for (const project of setup.projects) project.users = project.users.filter((email) => email !== gone);
  for (const wanted of [false, true]) {
    await deed(page, "Apply setup", { File: file(name, JSON.stringify(setup)), "Take away": true });
    await dialogOf(page).getByText(/will be lost/).waitFor();
    await settle(page);
    const said = await dialogOf(page).innerText();
    names("apply a setup", `remove user ${gone}`, "API key")(said);
    check("what a setup would make is shown", said.includes("create user setup@example.com"), said);
    if (wanted) await dialogOf(page).locator("[type=submit]").click();
    else await page.keyboard.press("Escape");
    await done(page);
    const statusOf = async (email) => (await api("GET", `/users/${email}`)).status;
    const [lost, made] = [await statusOf(gone), await statusOf("setup@example.com")];
    check(`a setup is applied after a yes (${wanted})`, (lost === 404) === wanted && (made === 200) === wanted, { lost, made });
  }
}

async function changeSettings(page) {
  await openRoom(page, "Settings");
  await deed(page, "Change Enkrypt's API key", { Key: "ek-first-1234" });
  await done(page);
  await deed(page, "Change Enkrypt's API key", { Key: "ek-second-5678" }, names("set Enkrypt's API key", "****1234"));
  await done(page);
  const { data: key } = await api("GET", "/settings/enkrypt-api-key");
  const shown = await page.locator("#page").innerText();
  check("Enkrypt's API key is set, and shown masked", key.api_key === "****5678" && shown.includes("****5678"), key);
  await deed(page, "Change Telemetry", { "Send telemetry": true, URL: "http://collector.example.com:4317", "Without TLS": true });
  await done(page);
  const { data: telemetry } = await api("GET", "/settings/telemetry");
  const isSet = telemetry.enabled && telemetry.insecure && telemetry.url === "http://collector.example.com:4317";
  check("telemetry is set", isSet && (await page.locator("#page").innerText()).includes("collector.example.com"), telemetry);
}

async function resetStore(page) {
  await openRoom(page, "Store and audit");
  await deed(page, "Reset", { "Type reset": "rest" });
  await dialogOf(page).getByText("Type “reset” to go on").waitFor();
  check("a reset needs the word", (await api("GET", "/users")).data.length > 1 && (await dialogOf(page).count()) === 1);
  await page.keyboard.press("Escape");
  await done(page);
  const { total_users: users } = (await api("GET", "/system/health")).data.statistics;
  await deed(page, "Reset", { "Type reset": "reset" }, names("reset", `${users} users`, "admin keys stay"));
  await done(page);
  const answer = await fetch(`${given.base}/api/v1/users`, { headers: { Authorization: `Bearer ${given.key}` } });
  const { data: left } = await answer.json();
  check("a reset starts over, and the admin key works on", answer.status === 200 && left.length === 1, left);
}

export const UPKEEP = {
  changeConfig, emptyConfig, changeTeam, filterKeys, readAudit, comeBack,
  restoreStore, restoreAdmins, applySetup, changeSettings, resetStore,
};
