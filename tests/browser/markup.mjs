// Markup in names: it is shown as text wherever a name stands, and nothing of it becomes an element or runs.

import { atEachPlace, check, checkWatch, chosen, figure, given, isRefusal, openPage, settle } from "./browser.mjs";
import { eachView, openOperation, enterDocs } from "./views.mjs";

const KINDS = ["console", "docs", "dialogs"];
// In which views a name must be seen as it is, by a part of the view's name.
const SHOWN = /Users|Projects|Configs|API keys|Admin keys|user|project|config|Overview|audit|operation with its answer|loss/;

async function judge(page, name) {
  const found = await page.evaluate(() => ({
    made: [...document.querySelectorAll('img[src="x"], [onerror], [onload], script:not([src])')].map((node) => node.outerHTML),
    ran: window.markupRan ?? null,
    seen: /<(img|svg|script)/.test(document.body.innerText),
    drawn: [...document.querySelectorAll("svg text, svg title")].some((node) => node.textContent.includes("<img")),
  }));
  check(`${name}: no element is made of a text`, found.made.length === 0 && found.ran === null, found);
  if (SHOWN.test(name) && !name.includes("dialog")) check(`${name}: the text is seen as it is`, found.seen || found.drawn, found);
  if (name === "/, Overview") check("the picture shows the text as it is", found.drawn, found);
}

// The answers that hold most: lists of everything.
async function readAnswers(page) {
  await enterDocs(page);
  for (const id of ["config_list", "user_list_all_api_keys", "system_audit", "system_backup"]) {
    const card = await openOperation(page, id);
    await card.getByRole("button", { name: "Send", exact: true }).click();
    await card.getByLabel("The answer", { exact: true }).waitFor();
    await settle(page);
    await judge(page, `/docs, ${id}: an operation with its answer`);
  }
}

await atEachPlace(async (browser) => {
  const { page, watch } = await openPage(browser);
  let looked = 0;
  const look = async (name) => (looked++, judge(page, name));
  try {
    await eachView(page, look, { kinds: chosen(given.quick ? KINDS.slice(0, 2) : KINDS), most: given.quick ? 1 : 3 });
    if (!given.variant && !given.quick) await readAnswers(page);
  } finally {
    figure("markup in names", { "views looked at": looked });
    checkWatch("markup in names", watch, isRefusal);
  }
});
