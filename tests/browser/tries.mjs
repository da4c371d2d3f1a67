// "Try it" of every operation, sent with its example: what is shown is what the API answered, and what the document says.

import { atEachPlace, check, checkWatch, chosen, figure, given, isRefusal, openPage } from "./browser.mjs";
import { api, enterDocs, openOperation } from "./views.mjs";

const LARGE = "90071992547409931234";

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
      const loses = upper === "DELETE" || ["x-replaces-everything", "x-settles-what-differs"].some((mark) => more[mark] === true);
      return { id, path, responses, example, method: upper, loses };
    }),
  );
}

// What would be done is shown first, and nothing is done where it is not wanted.
async function settle(page) {
  const card = await openOperation(page, "apply");
  const data = { kind: "secure-mcp-gateway/desired", version: 1, users: ["ada@example.com", "new@example.com"] };
  await card.locator("form textarea").fill(JSON.stringify({ data, prune: true }));
  const users = async () => (await api("GET", "/users")).data.map((user) => user.email);
  const before = await users();
  const gone = before.find((email) => !data.users.includes(email));
  for (const press of ["Cancel", "Send it"]) {
    await card.getByRole("button", { name: "Send", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(`remove user ${gone}`).waitFor();
    const said = await dialog.innerText();
    check(`apply: what would be done is asked before it is (${press})`, said.includes("1 created") && said.includes("POST"), said);
    await dialog.getByRole("button", { name: press }).click();
    await dialog.waitFor({ state: "detached" });
    if (press === "Cancel") check("apply: without a yes nothing is done", String(await users()) === String(before), await users());
  }
  await card.getByLabel("The answer", { exact: true }).waitFor();
  check("apply: after a yes it is done", String((await users()).sort()) === String([...data.users].sort()), await users());
}

// Numbers that JavaScript would round are shown, and written into code, as they are.
async function showExactly(page) {
  const policy = `{"enabled":true,"additional_config":{"large":${LARGE},"exact":[1.0,-0,2.50]}}`;
  const [config] = (await api("GET", "/configs")).data.filter((each) => each.servers);
  const [{ server_name: server }] = (await api("GET", `/configs/${config.mcp_config_id}/servers`)).data;
  const card = await openOperation(page, "config_update_server_input_guardrails");
  const [first, second] = await card.locator("form .row", { hasText: "required" }).getByRole("textbox").all();
  await first.fill(config.mcp_config_id);
  await second.fill(server);
  await card.locator("form textarea").fill(`{"policy":${policy}}`);
  for (const language of ["Python", "JavaScript"]) {
    await card.getByText(language, { exact: true }).click();
    const code = await card.getByLabel("The request as code", { exact: true }).textContent();
    check(`${language}: a large number is written as it is`, code.includes(LARGE) && code.includes("1.0"), code);
  }
  await card.getByRole("button", { name: "Send", exact: true }).click();
  const answer = card.getByLabel("The answer", { exact: true });
  await answer.filter({ hasText: "large" }).waitFor();
  const shown = await answer.textContent();
  check("an answer shows a large number as it is", shown.includes(LARGE) && shown.includes("1.0"), shown);
  await card.getByText("curl", { exact: true }).click();
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
  if (!given.variant) await showExactly(page);
  if (!given.variant) await settle(page);
  figure("operations tried", { sent: tried.length, succeeded: held });
  // It asks what a deletion would take away, also where there is nothing to ask.
  checkWatch("/docs in use", watch, isRefusal);
});
