// On a telephone: no page scrolls sideways, and all that can be pressed can be brought into sight.

import { atEachPlace, check, checkWatch, chosen, figure, given, isRefusal, openPage, settle } from "./browser.mjs";
import { eachView, openRoom, pictureNow } from "./views.mjs";

const WIDTH = 360;
const KINDS = ["docs", "redoc", "console", "dialogs"];

// What reaches out of the page, and what can be pressed but lies where no scrolling leads.
const outside = () => {
  const width = document.documentElement.clientWidth;
  const scrolls = (node) => {
    for (let at = node.parentElement; at && at !== document.body; at = at.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(at).overflowX) && at.scrollWidth > at.clientWidth) return true;
    }
    return false;
  };
  const dialogs = [...document.querySelectorAll("dialog[open]")];
  const pressed = (dialogs[0] ?? document).querySelectorAll("button, input, select, textarea, a[href], summary");
  const lost = [...pressed].filter((node) => {
    const box = node.getBoundingClientRect();
    const isHidden = !node.checkVisibility({ visibilityProperty: true }) || node.closest(".visually-hidden, .skip, svg");
    return !isHidden && (box.left < -1 || box.right > width + 1) && !scrolls(node);
  });
  return {
    page: document.documentElement.scrollWidth,
    width,
    lost: lost.map((node) => node.outerHTML.slice(0, 160)),
    dialogs: dialogs.filter((each) => each.getBoundingClientRect().right > width || each.scrollWidth > each.clientWidth + 1).length,
  };
};

// Two fingers on the picture: what is between them stays there and grows.
async function pinch(page) {
  await openRoom(page, "Overview");
  const first = await pictureNow(page);
  check("the picture begins with its first column and is readable", first.begins < 80 && first.left < 30 && first.size >= 12, first);
  const frame = page.getByRole("group", { name: "Who can reach what" });
  await frame.scrollIntoViewIfNeeded();
  const { x, y, height } = await frame.boundingBox();
  const touch = await page.context().newCDPSession(page);
  const send = (type, apart) => {
    const points = [150 - apart, 150 + apart].map((at, id) => ({ x: x + at, y: y + height / 2, id }));
    return touch.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : points });
  };
  await send("touchStart", 30);
  for (const apart of [40, 50, 60]) await send("touchMove", apart);
  await send("touchEnd", 60);
  await settle(page);
  const { scale } = await pictureNow(page);
  check("two fingers zoom the picture", scale > 1.6 * first.scale && scale < 2.4 * first.scale, { scale, first: first.scale });
}

await atEachPlace(async (browser) => {
  const { page, watch } = await openPage(browser, { width: WIDTH, height: 740, hasTouch: true });
  let looked = 0;
  const look = async (name) => {
    looked++;
    const found = await page.evaluate(outside);
    check(`${name}: nothing is wider than ${WIDTH} px`, found.page <= found.width && found.dialogs === 0, found);
    check(`${name}: all that can be pressed is within reach`, found.lost.length === 0, found.lost);
  };
  await eachView(page, look, { kinds: chosen(given.quick ? KINDS.slice(0, 3) : KINDS) });
  if (!given.only.length) await pinch(page);
  figure(`${WIDTH} px wide`, { "views looked at": looked });
  checkWatch(`${WIDTH} px wide`, watch, isRefusal);
});
