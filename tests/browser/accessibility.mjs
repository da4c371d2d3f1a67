// What axe-core finds on every page and dialog, in light and dark.

import { atEachPlace, axe, check, chosen, figure, given, openPage } from "./browser.mjs";
import { eachView } from "./views.mjs";

const KINDS = ["docs", "redoc", "console", "dialogs"];

await atEachPlace(async (browser) => {
  let looked = 0;
  for (const dark of given.variant ? [false] : [false, true]) {
    const { page } = await openPage(browser, { dark });
    const theme = dark ? "dark" : "light";
    let at = 0;
    const look = async (name) => {
      // In a bounded share every other view is light, and the others are dark.
      if (given.quick && !given.variant && (at++ % 2 === 0) === dark) return;
      looked++;
      const found = await axe(page);
      check(`${name}, ${theme}: nothing serious`, found.length === 0, found);
    };
    await eachView(page, look, { kinds: chosen(given.quick ? KINDS.slice(0, 3) : KINDS) });
  }
  figure("axe-core looked at", { views: looked });
});
