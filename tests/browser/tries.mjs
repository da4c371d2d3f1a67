// "Try it" of every operation, sent with its example: what is shown is what the API answered, and what the document says.

import { atEachPlace, check, checkWatch, chosen, figure, given, isRefusal, openPage } from "./browser.mjs";
import { api, enterDocs, openOperation } from "./views.mjs";

// The example of a field stands in it where nothing is typed; what was typed for another operation stays in the field.
async function fillIn(card) {
  for (const row of await card.locator("form .row", { hasText: "required" }).all()) {
    const field = row.getByRole("textbox");
    await field.fill(await field.getAttribute("placeholder"));
  }
  // What takes something away is asked for no more than is typed.
  if (card.loses && card.example) await card.locator("form textarea").fill(JSON.stringify(card.example, null, 1));
}

// Whether it is asked for once more before it is sent.
const isAskedFor = (card) => card.loses && card.example?.dry_run !== true;

async function sendExample(page, card) {
  await fillIn(card);
  const answered = page.waitForResponse((response) => response.request().method() === card.method && isAsked(card, response));
  await card.getByRole("button", { name: "Send", exact: true }).click();
  const confirm = page.getByRole("dialog").getByRole("button", { name: "Send it" });
  if (isAskedFor(card)) await confirm.click();
  return answered;
}

const isAsked = (card, response) => new RegExp(`^${card.path.replace(/\{\w+\}/g, "[^/]+")}$`).test(new URL(response.url()).pathname);

async function tryIt(page, operation) {
  const card = Object.assign(await openOperation(page, operation.id), operation);
  const response = await sendExample(page, card);
  const shown = card.getByRole("status");
  const status = await shown.locator(".status .badge").textContent();
  const text = await shown.getByLabel("The answer", { exact: true }).textContent();
  return { status, text, answered: String(response.status()), body: await response.text() };
}

function judge(operation, found) {
  const name = `${operation.method} ${operation.path}`;
  const same = JSON.stringify(JSON.parse(found.text)) === JSON.stringify(JSON.parse(found.body));
  const holds = found.status === found.answered && same && found.status in operation.responses && found.status < 300;
  return check(`${name}: its example succeeds, and what is shown is what came`, holds, found);
}

function operationsOf(document) {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId: id, responses, ...more }]) => {
      const upper = method.toUpperCase();
      const example = more.requestBody?.content["application/json"].example;
      return { id, path, responses, example, method: upper, loses: upper === "DELETE" || more["x-replaces-everything"] === true };
    }),
  );
}

// Every sixth in a bounded share, from the second on.
const share = (all) => (given.quick && !given.variant ? all.filter((each, at) => at % 6 === 1) : all);

await atEachPlace(async (browser) => {
  const { page, watch } = await openPage(browser);
  await enterDocs(page);
  const operations = operationsOf(await (await fetch(`${given.base}/openapi.json`)).json());
  const backup = (await api("POST", "/system/backup", {})).data.backup;
  const shown = await page.locator("details.operation").count();
  check("every operation of the document is on the page", shown === operations.length, { shown, documented: operations.length });
  let held = 0;
  const tried = share(operations.filter((each) => chosen([each.id]).length));
  for (const operation of tried) {
    held += judge(operation, await tryIt(page, operation));
    if (operation.method !== "GET") await api("POST", "/system/restore", { data: backup, with_admin_keys: true });
  }
  figure("operations tried", { sent: tried.length, succeeded: held });
  // It asks what a deletion would take away, also where there is nothing to ask.
  checkWatch("/docs in use", watch, isRefusal);
});
