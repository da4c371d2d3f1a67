// What the console's workflow is made of: buttons that open dialogs, dialogs that are filled and sent, rows that lead to pages.

import { readFileSync } from "node:fs";

import { check, settle } from "./browser.mjs";
import { openRoom } from "./views.mjs";

export const ONLY = "the only field";

export const dialogOf = (page) => page.getByRole("dialog");
export const button = (page, name) => page.locator("#page").getByRole("button", { name, exact: typeof name === "string" }).first();

// Presses a button of the page, fills the fields of the dialog, hands its text to `judge`, and presses its last button.
export async function deed(page, opener, fields = {}, judge = () => {}) {
  await button(page, opener).click();
  const dialog = dialogOf(page);
  await dialog.waitFor();
  await settle(page);
  for (const [label, value] of Object.entries(fields)) {
    const field = label === ONLY ? dialog.getByRole("combobox").or(dialog.getByRole("textbox")) : dialog.getByLabel(label);
    if (typeof value === "boolean") await field.setChecked(value);
    else if (typeof value === "object") await field.setInputFiles(value);
    else if (await field.evaluate((node) => node.tagName === "SELECT")) await field.selectOption(value);
    else await field.fill(value);
  }
  judge(await dialog.innerText());
  await dialog.locator("[type=submit]").click();
}

export async function done(page) {
  await dialogOf(page).waitFor({ state: "detached" });
  await settle(page);
}

export async function openRow(page, room, name) {
  await openRoom(page, room);
  await page.getByRole("searchbox").fill(name);
  const row = page.locator("#page").getByRole("link", { name, exact: true }).first();
  await row.click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
  await settle(page);
}

export const names = (title, ...parts) => (text) =>
  check(`${title}: the question names what will be lost`, parts.every((part) => text.includes(part)), { text, parts });

export async function saved(page, start) {
  const [download] = await Promise.all([page.waitForEvent("download"), start()]);
  await done(page);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
}
