// JSON whose numbers stay as they are written. Those that JavaScript would round or write otherwise become `Exact`.

const NUMBERS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g; // and texts, which are passed over
const MARK = `exact ${Math.random()} `; // what nobody else's text begins with
const MARKED = new RegExp(`"${MARK}([^"]*)"`, "g");

export class Exact {
	constructor(text) {
		this.text = text;
	}

	toString() {
		return this.text;
	}
}

export function fromJson(text) {
	const value = JSON.parse(text);
	const marked = text.replace(NUMBERS, (each) => (each[0] === '"' || String(Number(each)) === each ? each : `"${MARK}${each}"`));
	if (marked === text) return value;
	const back = (_, each) => (typeof each === "string" && each.startsWith(MARK) ? new Exact(each.slice(MARK.length)) : each);
	return JSON.parse(marked, back);
}

export function toJson(value, indent) {
	return JSON.stringify(value, (_, each) => (each instanceof Exact ? MARK + each : each), indent).replace(MARKED, "$1");
}
