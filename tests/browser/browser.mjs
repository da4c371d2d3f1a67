// What the scripts share: the browser, what they say, and a watch over each page for what must never happen.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

export const given = JSON.parse(process.argv[2]);
const load = createRequire(join(given.tools, "node_modules", "x"));
const { chromium } = load("playwright-core");
const AXE = load.resolve("axe-core/axe.min.js");

let place = 0;
const say = (line) => process.stdout.write(JSON.stringify({ place, ...line }) + "\n");

export function check(name, holds, found = "") {
  say({ check: name, holds: Boolean(holds), found: typeof found === "string" ? found : JSON.stringify(found, null, 1) });
  return Boolean(holds);
}

export const figure = (name, values) => say({ figure: name, values });
export const note = (text) => say({ note: text });

export const PAGES = ["/", "/docs", "/redoc"];

// Runs `use` on each place, which `given` then tells of: {base, key, variant, only}. Names are not looked up, so that nothing leaves
// this machine even where no page is watched.
export async function atEachPlace(use) {
  const args = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-background-networking", "--no-pings"];
  const browser = await chromium.launch({ executablePath: given.chromium, headless: true, args });
  try {
    for (place = 0; place < given.places.length; place++) {
      Object.assign(given, given.places[place]);
      await use(browser).catch((error) => check("ran to its end", false, String(error.stack)));
      await Promise.all(browser.contexts().map((context) => context.close()));
    }
  } finally {
    await browser.close();
  }
}

// What of these a variant is looked at, or all.
export const chosen = (all) => (given.only.length ? all.filter((each) => given.only.includes(each)) : all);

// A page in a context of its own. `watch` collects what must never happen: {foreign, errors, violations, dialogs}.
// `route: false` leaves the browser's own cache and speed as they are; requests are watched all the same.
export async function openPage(browser, { width = 1280, height = 800, dark = false, route = true, ...more } = {}) {
  const colorScheme = dark ? "dark" : "light";
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: "reduce", locale: "en-GB", ...more });
  // What is broken may keep a script waiting for what never comes.
  context.setDefaultTimeout((given.variant ? 2000 : 6000) * given.patience);
  const watch = { foreign: [], errors: [], violations: [], dialogs: [] };
  await context.exposeBinding("sawViolation", (_, text) => watch.violations.push(text));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      window.sawViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sample} at ${event.sourceFile}:${event.lineNumber}`);
    });
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const moved = (entry.sources ?? []).map((each) => each.node?.outerHTML?.slice(0, 120) ?? String(each.node?.nodeName));
        if (!entry.hadRecentInput) window.shifts.push({ value: entry.value, moved });
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  if (route) await context.route("**/*", (each) => (isOurs(each.request().url()) ? each.continue() : each.abort()));
  const page = await context.newPage();
  page.pending = new Set();
  page.on("request", (request) => page.pending.add(request));
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => page.pending.delete(request));
  page.on("request", (request) => !isOurs(request.url()) && watch.foreign.push(request.url()));
  page.on("console", (message) => message.type() === "error" && watch.errors.push(`${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => watch.errors.push(String(error.stack ?? error)));
  page.on("dialog", (dialog) => (watch.dialogs.push(dialog.message()), dialog.dismiss()));
  return { page, watch, context };
}

const isOurs = (url) => url.startsWith(`${given.base}/`) || url.startsWith("data:") || url.startsWith("blob:");

// Nothing of what must never happen. `expected` tells of a console error that belongs to the scene, such as a refusal.
export function checkWatch(where, watch, expected = () => false) {
  const errors = watch.errors.filter((error) => !expected(error));
  check(`${where}: no request to another host`, watch.foreign.length === 0, watch.foreign);
  check(`${where}: no error`, errors.length === 0, errors);
  check(`${where}: no violation of the policy`, watch.violations.length === 0, watch.violations);
  check(`${where}: no dialog of the browser`, watch.dialogs.length === 0, watch.dialogs);
}

// A browser's own line for an answer of 400 and more.
export const isRefusal = (error) => /Failed to load resource: the server responded with a status of 4\d\d/.test(error);

export async function goto(page, path) {
  page.pending.clear();
  await page.goto(given.base + path, { waitUntil: "load" });
  await settle(page);
}

// What was asked for came, and is drawn: nothing is under way for a while.
export async function settle(page, quiet = 80) {
  let since = Date.now();
  const end = since + 10_000 * given.patience;
  while (Date.now() - since < quiet && Date.now() < end) {
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    if (page.pending.size) since = Date.now();
  }
}

// The console asks for the key before anything else.
export async function signIn(page, key = given.key) {
  await page.getByLabel(/key/i).first().fill(key);
  await page.keyboard.press("Enter");
  await settle(page);
}

// What axe-core finds serious or critical, each as one line.
export async function axe(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(readFileSync(AXE, "utf8"));
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations
    .filter((each) => each.impact === "serious" || each.impact === "critical")
    .flatMap(({ impact, id, nodes }) => nodes.map((node) => `${impact} ${id}: ${node.target.join(" ")}: ${node.failureSummary}`));
}
