// Pictures of the pages, to be looked at: light and dark, wide and narrow, with few users and with many.

import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { PAGES, atEachPlace, check, figure, given, goto, openPage, settle, signIn } from "./browser.mjs";
import { smaller } from "./palette.mjs";
import { enterDocs, openOperation, openRoom, roomsOf, subjects } from "./views.mjs";

const MOST_BYTES = 60_000;
const WIDTHS = { wide: 1280, narrow: 360 };
let count = 0;

async function shoot(page, name, options = {}) {
  await settle(page);
  await page.screenshot({ path: join(given.shots, `${name}.png`), ...options });
  count++;
}

async function shootAll(page, name) {
  await goto(page, "/");
  await shoot(page, `${name}-key`);
  await signIn(page);
  for (const room of (await roomsOf(page)).slice(0, given.quick ? 2 : 99)) {
    await openRoom(page, room);
    await shoot(page, `${name}-${room.toLowerCase().replace(" ", "-")}`, { fullPage: true });
  }
  if (given.quick) return;
  for (const [kind, [part]] of Object.entries(await subjects())) {
    await page.evaluate((hash) => (location.hash = hash), `#/${kind}/${encodeURIComponent(part)}`);
    await page.getByRole("heading", { level: 1, name: part }).waitFor();
    await shoot(page, `${name}-${kind}`, { fullPage: true });
  }
  await page.locator("#page").getByRole("button", { name: "Add server" }).first().click();
  await shoot(page, `${name}-dialog`);
}

async function shootDocs(page, name) {
  await enterDocs(page);
  await shoot(page, `${name}-docs`);
  const card = await openOperation(page, "user_list");
  await card.getByRole("button", { name: "Send", exact: true }).click();
  await card.getByLabel("The answer", { exact: true }).waitFor();
  await shoot(page, `${name}-docs-tried`);
  await goto(page, "/redoc");
  await shoot(page, `${name}-redoc`);
}

// The two of the README, small ones.
async function shootForReadme(browser) {
  const { page } = await openPage(browser, { width: 1280, height: 720 });
  await goto(page, "/");
  await signIn(page);
  // What one project reaches, and who is in it.
  await page.getByRole("group", { name: "Who can reach what" }).getByRole("button", { name: /Support/ }).first().click();
  await keep(page, "console.png");
  await page.setViewportSize({ width: 1200, height: 720 });
  await enterDocs(page);
  const card = await openOperation(page, "user_list");
  await card.getByRole("button", { name: "Send", exact: true }).click();
  await card.getByLabel("The answer", { exact: true }).waitFor();
  await keep(page, "docs.png");
}

async function keep(page, name) {
  await settle(page);
  const path = join(given.keep, name);
  writeFileSync(path, smaller(await page.screenshot()));
  const { size } = statSync(path);
  figure(name, { bytes: size });
  check(`${name} is fewer than ${MOST_BYTES} bytes`, size < MOST_BYTES, String(size));
}

mkdirSync(given.shots, { recursive: true });
await atEachPlace(async (browser) => {
  for (const dark of given.quick ? [false] : [false, true]) {
    for (const [shape, width] of Object.entries(WIDTHS).slice(0, given.quick ? 1 : 2)) {
      const name = `${given.scene}-${dark ? "dark" : "light"}-${shape}`;
      const { page, context } = await openPage(browser, { width, height: 800, dark });
      await shootAll(page, name);
      await shootDocs(page, name);
      await context.close();
    }
  }
  figure(`pictures of the ${given.scene} store`, { drawn: count });
  check(`every page of the ${given.scene} store was drawn`, count >= PAGES.length);
  if (given.keep) await shootForReadme(browser);
});
