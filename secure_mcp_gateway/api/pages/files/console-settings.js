// Settings of the whole store.
import { el } from "/assets/common.js";
import { forEach, look } from "/assets/console-api.js";
import { deed } from "/assets/console-deed.js";
import { badge, buttons, facts, heading } from "/assets/console-table.js";

const [ENKRYPT, TELEMETRY] = ["/settings/enkrypt-api-key", "/settings/telemetry"];

export async function settingsPage(root, _, me, redraw) {
	const [{ data: enkrypt }, { data: telemetry }] = await forEach([ENKRYPT, TELEMETRY], (path) => look(path));
	const part = (name, says, change, ...pairs) => {
		const deeds = el("span", { class: "deeds" }, buttons([["Change", change]], redraw, name));
		return el("section", { class: "panel card" }, el("header", {}, el("h2", {}, name), deeds), el("p", {}, says), facts(...pairs));
	};
	const key = ["Key", enkrypt.api_key ? el("code", {}, enkrypt.api_key) : "none"];
	const place = ["Collector", el("code", {}, telemetry.url)];
	const told = [["State", telemetry.enabled ? badge("good", "on") : "off"], place, ["TLS", telemetry.insecure ? "none" : "required"]];
	const parts = [
		part("Enkrypt's API key", "For guardrails that Enkrypt checks.", setEnkryptKey, key),
		part("Telemetry", "What an OpenTelemetry collector is told.", setTelemetry, ...told),
	];
	root.append(heading("Settings"), el("div", { class: "cards" }, parts));
}

const setEnkryptKey = () =>
	deed({
		title: "Set Enkrypt's API key", verb: "Save", look: [ENKRYPT], send: `PUT ${ENKRYPT}`,
		lost: ({ api_key: key }) => key && `The present key, ${key}`,
		fields: [["api_key", "Key", "secret", { help: "As Enkrypt issued it. It is never shown again." }]],
	});

const setTelemetry = () =>
	deed({
		title: "Set telemetry", verb: "Save", look: [TELEMETRY], send: `PUT ${TELEMETRY}`,
		fields: (now) => [
			["enabled", "Send telemetry", "check", { value: now.enabled }],
			["url", "URL of the collector", "text", { value: now.url }],
			["insecure", "Without TLS on the way there", "check", { value: now.insecure }],
		],
	});
