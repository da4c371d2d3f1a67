import { PAGES, atEachPlace, check, checkWatch, chosen, figure, given, goto, openPage, signIn } from "./browser.mjs";

const MOST_BYTES = 150_000;
const FIRST_PAINT_MS = 200;
const TIMES = given.quick ? 3 : 9;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

async function load(browser, path) {
  const { page, watch, context } = await openPage(browser, { route: true });
  await goto(page, path);
  await page.waitForTimeout(300);
  if (path === "/") await signIn(page);
  await page.waitForTimeout(300);
  checkWatch(path, watch);
  const shifts = await page.evaluate(() => window.shifts);
  check(`${path}: nothing moves`, shifts.length === 0, shifts);
  await context.close();
}

// As a reader's browser does it, with an empty cache: the paint in ms, and bytes as they came and as they were packed out.
async function measure(browser, path) {
  const { page, context } = await openPage(browser, { route: false });
  await goto(page, path);
  const found = await page.evaluate(() => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity;
    const loads = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    return { paint, loads: loads.map((each) => ({ name: each.name, sent: each.transferSize, whole: each.decodedBodySize })) };
  });
  await context.close();
  return found;
}

await atEachPlace(async (browser) => {
  const files = new Map();
  const pages = chosen(PAGES);
  const paints = Object.fromEntries(pages.map((path) => [path, []]));
  for (const path of pages) await load(browser, path);
  for (let round = 0; round < (given.variant ? 1 : TIMES); round++) {
    for (const path of pages) {
      const { paint, loads } = await measure(browser, path);
      paints[path].push(paint);
      if (round) continue;
      for (const each of loads) files.set(each.name, each);
      const sent = sum(loads.map((each) => each.sent));
      figure(`${path} loads`, { bytes: sent, "bytes unpacked": sum(loads.map((each) => each.whole)), requests: loads.length });
      check(`${path}: fewer than ${MOST_BYTES} bytes are sent`, sent < MOST_BYTES, loads);
    }
  }
  for (const path of pages) {
    const middle = median(paints[path]);
    const all = paints[path].map(Math.round).join(" ");
    const patience = given.patience.toFixed(1);
    figure(`first paint of ${path}`, { "ms in the median": Math.round(middle), "times the patience": patience });
    check(`${path}: first paint within ${FIRST_PAINT_MS} ms`, middle < FIRST_PAINT_MS * given.patience, all);
  }
  const ours = [...files.values()].filter((each) => !each.name.endsWith("/openapi.json"));
  const whole = sum(ours.map((each) => each.whole));
  figure("all pages and files", { files: ours.length, "bytes as they are sent": sum(ours.map((each) => each.sent)), "bytes unpacked": whole });
  check(`all pages and files: fewer than ${MOST_BYTES} bytes unpacked`, whole < MOST_BYTES, String(whole));
});
