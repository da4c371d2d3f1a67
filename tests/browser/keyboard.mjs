// The pages without a mouse: Tab reaches everything in order and shows where it is, dialogs hold it and give it back.

import { PAGES, atEachPlace, check, checkWatch, chosen, figure, given, goto, isRefusal, openPage, settle, signIn } from "./browser.mjs";
import { eachView, openOperation, openRoom, roomsOf } from "./views.mjs";

const MOST = 600;

// What a mouse can press, in the order of the document. Of radio buttons the chosen one stands for its group; in a group of its own
// keys, such as the picture, one element does.
const pressable = () => {
  const root = document.querySelector("dialog[open]") ?? document;
  const all = root.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']");
  const isPlace = (node) => {
    const isHidden = !node.checkVisibility({ visibilityProperty: true }) || node.disabled || node.closest("[inert]");
    return !isHidden && !(node.type === "radio" && !node.checked);
  };
  window.places = [...all].filter(isPlace);
  return window.places.length;
};

// Where the focus is: its number among these, and whether it is seen.
const focused = () => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  const style = getComputedStyle(node);
  const box = node.getBoundingClientRect();
  const seen = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth && box.width > 1 && box.height > 1;
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return { at: window.places.indexOf(node), seen, outlined, text: node.outerHTML.slice(0, 140) };
};

// As after a load, even where a page puts the focus into a field.
function toTheTop(page) {
  return page.evaluate(() => {
    document.body.setAttribute("tabindex", "-1");
    document.body.focus({ preventScroll: true });
    document.body.removeAttribute("tabindex");
  });
}

// Focus that is shown otherwise than by an outline: is anything else drawn there without it?
async function isDrawn(page) {
  const box = await page.evaluate(() => {
    const { x, y, width, height } = document.activeElement.getBoundingClientRect();
    return { x: Math.max(0, x - 4), y: Math.max(0, y - 4), width: width + 8, height: height + 8 };
  });
  const held = await page.screenshot({ clip: box });
  await page.evaluate(() => ((window.held = document.activeElement), window.held.blur()));
  const left = await page.screenshot({ clip: box });
  await page.evaluate(() => window.held.focus({ focusVisible: true }));
  return !held.equals(left);
}

// Each stop from the top of the page until the focus leaves it.
async function walk(page) {
  await toTheTop(page);
  const stops = [];
  while (stops.length < MOST) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(focused);
    if (!stop || (stops.length > 0 && stop.at === stops[0].at)) return stops;
    if (!stop.outlined && !given.variant) stop.outlined = await isDrawn(page);
    stops.push(stop);
  }
  return stops;
}

async function judgeWalk(page, name) {
  const count = await page.evaluate(pressable);
  const stops = await walk(page);
  const order = stops.map((stop) => stop.at);
  const missed = [...Array(count).keys()].filter((at) => !order.includes(at));
  const texts = await page.evaluate((numbers) => numbers.map((at) => window.places[at].outerHTML.slice(0, 140)), missed);
  const jumps = stops.filter((stop, at) => at > 0 && stop.at >= 0 && stop.at < Math.max(...order.slice(0, at)));
  const unseen = stops.filter((stop) => !stop.seen || !stop.outlined);
  check(`${name}: Tab reaches everything`, missed.length === 0, texts);
  check(`${name}: Tab follows the order of the page`, jumps.length === 0, jumps);
  check(`${name}: the focus is seen at each stop`, unseen.length === 0, unseen);
  return stops.length;
}

async function skips(page, path) {
  await goto(page, path);
  await toTheTop(page);
  await page.keyboard.press("Tab");
  const link = page.getByRole("link", { name: "To the content" });
  const isFirst = await link.evaluate((node) => node === document.activeElement);
  await page.keyboard.press("Enter");
  const inside = await page.evaluate(() => document.querySelector("main").contains(document.activeElement));
  check(`${path}: the first stop leads to the content`, isFirst && inside, { isFirst, inside });
}

// Opened by Enter, it holds the focus; Escape closes it and the focus is where it was.
async function judgeDialog(page, name, opener) {
  const inside = () => page.evaluate(() => document.querySelector("dialog[open]")?.contains(document.activeElement) ?? false);
  const count = await page.evaluate(pressable);
  let stayed = await inside();
  let seen = true;
  for (let step = 0; step < Math.min(count, 25) + 1; step++) {
    await page.keyboard.press("Tab");
    stayed &&= await inside();
    seen &&= (await page.evaluate(focused))?.outlined ?? false;
  }
  check(`${name}: it holds the focus, which is seen`, stayed && seen, { stayed, seen, count });
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const back = await opener.evaluate((node) => node === document.activeElement);
  check(`${name}: Escape closes it and the focus returns`, back, await page.evaluate(() => document.activeElement.outerHTML.slice(0, 200)));
}

// The picture is one stop; in it the arrows move and Enter chooses.
async function walkPicture(page) {
  await openRoom(page, "Overview");
  const picture = page.getByRole("group", { name: "Who can reach what" });
  const current = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);
  await picture.locator("[tabindex='0']").first().focus();
  const seen = new Set([await current()]);
  for (const key of ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp"]) {
    await page.keyboard.press(key);
    seen.add(await current());
  }
  check("the picture: arrows move from node to node", seen.size >= 4, [...seen]);
}

await atEachPlace(async (browser) => {
  const { page, watch } = await openPage(browser);
  let stops = 0;
  const kinds = chosen([...PAGES, "rooms", "dialogs"]);
  // The docs alone have 300 stops.
  const pages = PAGES.filter((each) => kinds.includes(each) && !(given.quick && each === "/docs"));
  for (const path of pages) {
    await skips(page, path);
    await goto(page, path);
    stops += await judgeWalk(page, path);
  }
  if (kinds.includes("/docs") && !given.variant && !given.quick) {
    await goto(page, "/docs");
    await openOperation(page, "config_import");
    await settle(page);
    stops += await judgeWalk(page, "/docs with an operation open");
  }
  if (kinds.includes("rooms")) {
    await goto(page, "/");
    await signIn(page);
    for (const room of (await roomsOf(page)).slice(0, given.quick ? 2 : 99)) {
      await openRoom(page, room);
      stops += await judgeWalk(page, `/, ${room}`);
    }
    await walkPicture(page);
  }
  const look = (name, opener) => judgeDialog(page, name, opener);
  if (kinds.includes("dialogs") && !given.quick) await eachView(page, look, { kinds: ["dialogs"] });
  figure("Tab", { stops });
  checkWatch("by keyboard", watch, isRefusal);
});
