// Everything there is to look at: each page, each room of the console, each kind of dialog, opened as a person does.

import { given, goto, settle, signIn } from "./browser.mjs";

// The rooms of the console that its menu leads to.
export function roomsOf(page) {
  return page.getByRole("navigation", { name: "Console" }).getByRole("link").allTextContents();
}

export async function api(method, path, body) {
  const headers = { Authorization: `Bearer ${given.key}`, "Content-Type": "application/json" };
  const answer = await fetch(`${given.base}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, data: JSON.parse(text).data, text };
}

// A user, a project and a config of the store: the last three of each, or one.
export async function subjects(most = 1) {
  const list = async (path) => (await api("GET", path)).data;
  const [users, projects, configs] = await Promise.all(["/users", "/projects", "/configs"].map(list));
  const user = users.filter((each) => each.api_keys && each.projects.length).slice(-most).map((each) => each.email);
  const project = projects.filter((each) => each.mcp_config && each.users).slice(-most).map((each) => each.project_name);
  const config = configs.filter((each) => each.servers && each.used_by_projects.length).slice(-most).map((each) => each.mcp_config_name);
  return { user, project, config };
}

export async function openRoom(page, room) {
  await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: room, exact: true }).click();
  await page.getByRole("heading", { level: 1, name: room, exact: true }).waitFor();
  await settle(page);
}

// How the picture lies in its frame, and how large what is written in its nodes is.
export function pictureNow(page) {
  return page.evaluate(() => {
    const frame = document.querySelector("svg[aria-label='Who can reach what']");
    const spots = [...frame.querySelectorAll("[data-id]")];
    const box = (node) => node.getBoundingClientRect();
    const first = Math.min(...spots.map((spot) => box(spot).left));
    const top = Math.min(...spots.filter((spot) => box(spot).left - first < 40).map((spot) => box(spot).top));
    const [, scale] = frame.querySelector("g").getAttribute("transform").match(/scale\(([\d.]+)\)/);
    const written = spots.map((spot) => {
      const [name, more] = spot.querySelectorAll("text");
      const title = spot.querySelector("title").textContent.split("\n")[0];
      const reaches = box(more ?? name).right - box([...spot.querySelectorAll("rect")].at(-1)).right;
      return { name: name.textContent, title, isCut: more?.textContent === "…", reaches };
    });
    const size = Math.min(...spots.map((spot) => parseFloat(getComputedStyle(spot.querySelector("text")).fontSize))) * scale;
    return { scale: Number(scale), size, begins: top - box(frame).top, left: first - box(frame).left, written, scrolled: scrollY };
  });
}

async function openPart(page, kind, name) {
  await page.evaluate((hash) => (location.hash = hash), `#/${kind}/${encodeURIComponent(name)}`);
  await page.getByRole("heading", { level: 1, name, exact: false }).waitFor();
  await settle(page);
}

export async function enterDocs(page) {
  await goto(page, "/docs");
  await page.getByLabel("API key", { exact: true }).fill(given.key);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Forget key" }).waitFor();
}

export async function openOperation(page, id) {
  await page.evaluate((name) => (location.hash = name), id);
  return page.locator(`[id="${id}"]`);
}

// What opens dialogs on a page of the console: of several with the same words the first.
async function openers(page) {
  return page.evaluate(() => {
    const buttons = [...document.querySelectorAll("#page button")];
    const all = buttons.filter((each) => !each.closest(".tools, .picture") && each.checkVisibility());
    const words = all.map((each) => each.getAttribute("aria-label") ?? each.textContent);
    return words.filter((word, at) => all.findIndex((each) => each.textContent === all[at].textContent) === at);
  });
}

async function ofDocs(page, look) {
  await enterDocs(page);
  await look("/docs");
  const card = await openOperation(page, "user_list");
  await card.getByRole("button", { name: "Send", exact: true }).click();
  await card.getByLabel("The answer", { exact: true }).waitFor();
  await look("/docs, an operation with its answer");
  const losing = await openOperation(page, "user_delete");
  await losing.getByRole("textbox").first().fill((await subjects()).user[0]);
  await losing.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("dialog").waitFor();
  await look("/docs, a question before a loss");
}

async function ofRedoc(page, look) {
  await goto(page, "/redoc");
  await look("/redoc");
}

async function ofConsole(page, look, most) {
  await goto(page, "/");
  await look("/, asking for the key");
  await signIn(page);
  for (const room of await roomsOf(page)) {
    await openRoom(page, room);
    await look(`/, ${room}`);
  }
  const found = await subjects(most);
  for (const [kind, names] of Object.entries(found)) {
    for (const [at, name] of names.entries()) {
      await openPart(page, kind, name);
      await look(`/, ${kind} ${at + 1}`);
    }
  }
}

async function ofDialogs(page, look) {
  await goto(page, "/");
  await signIn(page);
  for (const room of await roomsOf(page)) {
    await openRoom(page, room);
    await dialogs(page, look, room);
  }
  for (const [kind, [name]] of Object.entries(await subjects())) {
    await openPart(page, kind, name);
    await dialogs(page, look, kind);
  }
}

async function dialogs(page, look, where) {
  for (const name of await openers(page)) {
    const opener = page.locator("#page").getByRole("button", { name, exact: true }).first();
    await opener.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await settle(page);
    await look(`/, ${where}, dialog of ${name}`, opener);
    if (await page.getByRole("dialog").count()) await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  }
}

// Calls `look(name, opener)` at each view of these kinds; `most` subjects have pages of their own.
export async function eachView(page, look, { kinds = ["docs", "redoc", "console", "dialogs"], most = 1 } = {}) {
  const all = { docs: ofDocs, redoc: ofRedoc, console: ofConsole, dialogs: ofDialogs };
  for (const kind of kinds) await all[kind](page, look, most);
}
