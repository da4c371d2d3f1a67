// The complete work of an administrator, clicked through in the console, each step checked against the API.

import { atEachPlace, check, checkWatch, chosen, given, goto, isRefusal, openPage, settle } from "./browser.mjs";
import { ONLY, button, deed, dialogOf, done, names, openRow, saved } from "./deeds.mjs";
import { UPKEEP } from "./upkeep.mjs";
import { api, openRoom, pictureNow, roomsOf } from "./views.mjs";

const CONFIG = "Night shift";
const SERVER = "night-tools";
const PROJECT = "Observatory";
const EMAIL = "stella@example.com";

async function statusOf(secret) {
  return (await fetch(`${given.base}/api/v1/whoami`, { headers: { Authorization: `Bearer ${secret}` } })).status;
}

async function enter(page) {
  await goto(page, "/");
  const field = page.getByLabel(/key/i).first();
  await field.fill("smga_nobody");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText(/key/).waitFor();
  check("a wrong key opens nothing", (await page.getByRole("navigation", { name: "Console" }).count()) === 0);
  await field.fill(given.key);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await settle(page);
  const seen = await roomsOf(page);
  const rooms = ["Users", "Projects", "Configs", "API keys", "Admin keys"];
  check("an admin key opens all rooms", rooms.every((room) => seen.includes(room)), seen);
}

// The picture as it is first seen, and the wheel over it.
async function lookAround(page) {
  await openRoom(page, "Overview");
  const first = await pictureNow(page);
  check("the picture begins with the nodes of its first column", first.begins > 28 && first.begins < 80 && first.left < 60, first);
  check("what is written in its nodes is 12 px or larger", first.size >= 12, first.size);
  const isWhole = first.written.every(({ name, title, reaches }) => name === title && reaches < 0);
  const areCut = first.written.some(({ isCut }) => isCut);
  check("a name that is too long is cut with an ellipsis and told in full", isWhole && areCut, first.written);
  const { x, y, width, height } = await page.getByRole("group", { name: "Who can reach what" }).boundingBox();
  const turn = async (key) => {
    await page.mouse.move(x + width / 2, y + height / 2);
    if (key) await page.keyboard.down(key);
    await page.mouse.wheel(0, -100);
    if (key) await page.keyboard.up(key);
    await settle(page);
    return pictureNow(page);
  };
  await page.evaluate(() => scrollTo(0, 90));
  const [scrolled, zoomed] = [await turn(), await turn("Control")];
  check("the wheel scrolls the page over the picture", scrolled.scale === first.scale && scrolled.scrolled < 90, scrolled.scale);
  check("with Ctrl it zooms the picture", zoomed.scale > first.scale && zoomed.scrolled === scrolled.scrolled, zoomed.scale);
  await page.getByRole("button", { name: "All", exact: true }).click();
  const whole = await pictureNow(page);
  await page.mouse.click(x + 4, y + height - 4);
  const used = await turn();
  check("after a click into the picture it zooms without Ctrl", used.scale > whole.scale, used.scale);
  await page.getByRole("button", { name: "Reset", exact: true }).click();
  await settle(page);
  const { scale, begins } = await pictureNow(page);
  check("a reset shows the picture as at first", scale === first.scale && begins === first.begins, { scale, begins });
}

async function makeConfig(page) {
  await openRoom(page, "Configs");
  await deed(page, "New config", { Name: CONFIG });
  await done(page);
  await openRow(page, "Configs", CONFIG);
  const place = { "Command or URL": "python3", Arguments: "-m\nnight" };
  await deed(page, "Add server", { Name: SERVER, ...place, "Allowed tools": '{"look": "", "point": "at a star"}' });
  await done(page);
  const { data } = await api("GET", `/configs/${CONFIG}/servers/${SERVER}`);
  const { config, tools } = data ?? {};
  check("a config with a server is made", config?.command === "python3" && config.args.length === 2 && "point" in tools, data);
}

async function makeTeam(page) {
  await openRoom(page, "Projects");
  await deed(page, "New project", { Name: PROJECT });
  await done(page);
  await openRow(page, "Projects", PROJECT);
  await deed(page, "Assign config", { Config: CONFIG });
  await done(page);
  await openRoom(page, "Users");
  await deed(page, "New user", { "E-mail address": EMAIL });
  await done(page);
  await openRow(page, "Projects", PROJECT);
  await deed(page, "Add user", { [ONLY]: EMAIL });
  await done(page);
  const { data } = await api("GET", `/projects/${PROJECT}`);
  const { mcp_config: config, users } = data;
  check("a project with a config and a user is made", config?.mcp_config_name === CONFIG && users[0]?.email === EMAIL, data);
}

// What the dialog of a new secret shows and the clipboard takes.
async function takeSecret(page, what) {
  const dialog = dialogOf(page).filter({ has: page.locator("input[readonly]") });
  const secret = await dialog.locator("input[readonly]").inputValue();
  await dialog.getByRole("button", { name: "Copy", exact: true }).click();
  await dialog.getByText("Copied.").waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  await dialog.getByRole("button").last().click();
  await done(page);
  const left = await page.evaluate((text) => {
    const fields = [...document.querySelectorAll("input, textarea")].map((each) => each.value);
    return document.documentElement.outerHTML.includes(text) || fields.includes(text);
  }, secret);
  const [isSecret, isCopied] = [/^smga?_[\w-]{43}$/.test(secret), copied === secret];
  check(`${what}: the secret is shown once, and copied`, isSecret && isCopied && !left, { isSecret, isCopied, left });
  return secret;
}

async function useKeys(page) {
  await openRow(page, "Users", EMAIL);
  await deed(page, "Make key", {});
  const first = await takeSecret(page, "a new key");
  check("a new key works", (await statusOf(first)) === 200);
  const hint = first.slice(-4);
  await deed(page, /^Disable/, {}, names("disable a key", EMAIL, PROJECT));
  await done(page);
  check("a disabled key does not work", (await statusOf(first)) === 401);
  await deed(page, /^Enable/, {});
  await done(page);
  check("an enabled key works again", (await statusOf(first)) === 200);
  await deed(page, /^Rotate/, {}, names("rotate a key", hint, "stops working"));
  const second = await takeSecret(page, "a rotated key");
  check("of a rotated key the new secret works and the old does not", (await statusOf(first)) === 401 && (await statusOf(second)) === 200);
}

async function exchange(page) {
  await openRow(page, "Configs", CONFIG);
  const file = await saved(page, () => deed(page, "Export", {}));
  const { kind } = JSON.parse(file.text);
  check("an export is a file of the config", kind === "secure-mcp-gateway/config" && file.name.endsWith(".json"), file);
  await openRoom(page, "Configs");
  const given = { name: file.name, mimeType: "application/json", buffer: Buffer.from(file.text) };
  await deed(page, "Import", { File: given, Name: "Night shift again" });
  await dialogOf(page).getByText("1 server").waitFor();
  const said = await dialogOf(page).innerText();
  const { status } = await api("GET", "/configs/Night%20shift%20again");
  check("what an import would bring is shown before anything is made", status === 404 && said.includes(`${SERVER} python3 -m night`), said);
  await dialogOf(page).locator("[type=submit]").click();
  await done(page);
  const { data } = await api("GET", "/configs/Night%20shift%20again");
  check("an import makes the config anew", data?.mcp_config[0]?.server_name === SERVER, data);
}

async function remove(page) {
  await openRow(page, "Configs", CONFIG);
  await button(page, /^Delete$/).click();
  await dialogOf(page).getByText(PROJECT).waitFor();
  check("a config in use cannot be deleted, and the project is named", (await dialogOf(page).getByRole("button").count()) === 1);
  await page.keyboard.press("Escape");
  await done(page);
  await deed(page, `Delete ${SERVER}`, {}, names("delete a server", SERVER));
  await done(page);
  await openRow(page, "Projects", PROJECT);
  await deed(page, new RegExp(`^Remove ${EMAIL}`), {}, names("remove a user from a project", EMAIL, PROJECT, "1 API key"));
  await done(page);
  await deed(page, "Delete", {}, names("delete a project", PROJECT));
  await done(page);
  await openRow(page, "Configs", CONFIG);
  await deed(page, "Delete", {}, names("delete a config", CONFIG));
  await done(page);
  const { data } = await api("GET", "/system/health");
  const left = await Promise.all([`/projects/${PROJECT}`, `/configs/${CONFIG}`].map(async (path) => (await api("GET", path)).status));
  check("what was deleted is gone", left.every((status) => status === 404) && data.status === "healthy", { left, data });
}

// Another admin was faster: the question is asked anew, with what is there now.
async function removeLate(page) {
  await openRow(page, "Users", EMAIL);
  await button(page, /^Delete$/).click();
  await dialogOf(page).getByText(/will be lost/).waitFor();
  await api("POST", "/projects/Research/users", { email: EMAIL });
  await dialogOf(page).locator("[type=submit]").click();
  await dialogOf(page).getByRole("button", { name: "Look again" }).click();
  await dialogOf(page).getByText(/Research/).first().waitFor();
  await settle(page);
  names("delete a user that was changed meanwhile", EMAIL, "Research")(await dialogOf(page).innerText());
  await dialogOf(page).locator("[type=submit]").click();
  await done(page);
  check("a user is deleted, with the membership", (await api("GET", `/users/${EMAIL}`)).status === 404);
}

async function keep(page) {
  await openRoom(page, "Overview");
  const file = await saved(page, () => deed(page, "Back up"));
  const { kind, users } = JSON.parse(file.text);
  check("a backup is a file of the store", kind === "secure-mcp-gateway/backup" && Object.keys(users).length > 1, file.name);
}

async function reloads(page) {
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  check("nothing of the key is kept in the browser", !kept.includes("smg"), kept);
  await page.reload({ waitUntil: "networkidle" });
  const asked = (await page.locator("#key").count()) === 1 && (await page.locator("#key").inputValue()) === "";
  const rooms = await page.getByRole("navigation", { name: "Console" }).count();
  check("a reload asks for the key again", asked && rooms === 0, await page.locator("main").innerText());
}

const STEPS = { lookAround, makeConfig, makeTeam, useKeys, exchange, remove, removeLate, keep, ...UPKEEP, reloads };

await atEachPlace(async (browser) => {
  const { page, watch } = await openPage(browser, { permissions: ["clipboard-read", "clipboard-write"], acceptDownloads: true });
  await enter(page);
  for (const step of chosen(Object.keys(STEPS))) await STEPS[step](page);
  // A server that did not answer belongs to the scene.
  checkWatch("the console in use", watch, (error) => isRefusal(error) || error.includes("net::ERR_FAILED"));
});
