// The equation card: what one unit does at one word, in numbers, and why its gates are what they are.

import { draw, make, named, number, refill, shown } from "./dom.js";

/** @import {View} from "./view.js" */
/** @import {Parts, GateParts, Entry} from "./types.js" */

const WIDTH = 190; // of a bar of contributions
const MOST = 9; // words of the ledger

export function equationPanel() {
  const title = make("h2", {});
  const body = make("div", { class: "equation" });
  const element = make("section", { class: "panel", "data-panel": "equation", "aria-label": "The equation" }, title, body);

  /** @param {View} view */
  function update(view) {
    const { parts, layer, unit, step } = view;
    const word = shown(view.own.tokens[step]);
    title.textContent = `Unit ${unit} at “${word}”, in numbers`;
    if (!parts) return refill(body, [make("p", { class: "note" }, view.description.says === "words" ? "This cell’s equation is not written for the page." : "The equations are shown of language models, whose inputs are known."), ...ledgerOf(view)]);
    refill(body, [
      memoryEquation(view, parts),
      make("h3", {}, whyTitle(view)),
      make("p", {}, whyInWords(view, parts)),
      contributions(view, parts, word),
      ...heldBeside(view),
      ...ledgerOf(view),
      make("p", { class: "note" }, layer.convention.replace(/_\{t-1\}/g, "ₜ₋₁").replace(/_t/g, "ₜ")),
    ]);
  }
  return { element, update };
}

/** c = f · c′ + i · g, and below it the numbers. */
function memoryEquation(view, parts) {
  const { layer } = view;
  const memory = layer.signals.find((one) => one.name === layer.memory);
  const candidate = Object.entries(parts.gates).find(([name]) => layer.signals.find((one) => one.name === name)?.kind === "candidate");
  if (!candidate || !layer.keeping) {
    return make("p", { class: "formula" }, `${memory.symbol} = ${number(parts.after)}`);
  }
  const keep = parts.gates[layer.keeping];
  const [, written] = candidate;
  const writing = parts.writing ?? "i";
  const share = written.value === 0 ? 0 : parts.written / written.value;
  const cell = (text, under, look) => make("span", { class: `term ${look ?? ""}` }, make("span", { class: "letter" }, text), make("span", { class: "figure" }, under));
  const sign = (text) => make("span", { class: "sign" }, text);
  return make("div", { class: "formula", role: "img", "aria-label": `${memory.symbol} = ${number(parts.after)} = ${number(keep.value)} times ${number(parts.before)} plus ${number(share)} times ${number(written.value)}` },
    cell(memory.symbol, number(parts.after), "result"), sign("="),
    cell(keep.symbol, number(keep.value)), sign("·"), cell(`${memory.symbol}′`, number(parts.before)), sign("+"),
    cell(writing.includes(" ") ? `(${writing})` : writing, number(share)), sign("·"), cell(written.symbol, number(written.value)),
    make("span", { class: "sums" }, `${number(parts.kept)} kept, ${number(parts.written)} written`));
}

function whyTitle(view) {
  const { layer } = view;
  const gate = layer.signals.find((one) => one.name === (layer.keeping ?? layer.memory));
  return `Why ${gate.symbol} is what it is`;
}

/** "f is 0.10, nearly shut: “She” pushes it down by 5.9 …" */
function whyInWords(view, parts) {
  const { layer } = view;
  const gate = parts.gates[layer.keeping ?? ""];
  if (!gate) return "";
  const word = shown(view.own.tokens[view.step]);
  const state = gate.value > 0.9 ? "open: it keeps nearly all" : gate.value < 0.1 ? "shut: it keeps nearly nothing" : "partly open";
  const push = (amount) => (Math.abs(amount) < 0.05 ? "hardly moves it" : `pushes it ${amount > 0 ? "open" : "shut"} by ${number(Math.abs(amount), 1)}`);
  return `${gate.symbol} is ${number(gate.value)}, ${state}. It never sees the memory that it multiplies. The word “${word}” ${push(gate.x)}, `
    + `what the layer said before (h) ${push(gate.h)}, and its bias ${push(gate.bias)}.`;
}

/** A row for each gate and the candidate: from x, from h, from the bias, and what comes of it. */
function contributions(view, parts, word) {
  const { layer } = view;
  const names = Object.keys(parts.gates).sort((a, b) => Number(b === layer.keeping) - Number(a === layer.keeping));
  const limit = Math.max(...names.flatMap((name) => extremes(parts.gates[name])), 1);
  const rows = names.map((name) => {
    const gate = parts.gates[name];
    const signal = layer.signals.find((one) => one.name === name);
    return make("tr", {},
      make("th", { scope: "row" }, signal ? named(signal) : name),
      make("td", { class: "from-x" }, signed(gate.x)), make("td", { class: "from-h" }, signed(gate.h)), make("td", { class: "from-b" }, signed(gate.bias)),
      make("td", { class: "picture" }, bar(gate, limit)),
      make("td", { class: "result" }, number(gate.value)));
  });
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "What each gate is made of" },
    make("table", { class: "parts" },
      make("thead", {}, make("tr", {},
        make("th", { scope: "col" }, "gate"),
        make("th", { scope: "col", class: "from-x" }, `from “${word.length > 10 ? `${word.slice(0, 9)}…` : word}” (x)`),
        make("th", { scope: "col", class: "from-h" }, "from before (h)"), make("th", { scope: "col", class: "from-b" }, "bias"),
        make("th", { scope: "col", class: "picture" }, "together"), make("th", { scope: "col", class: "result" }, "is"))),
      make("tbody", {}, ...rows)));
}

const signed = (value) => (value > 0 ? "+" : "") + number(value, 1);

/** @param {GateParts} gate  how far its contributions reach to both sides */
function extremes({ x, h, bias }) {
  const parts = [x, h, bias];
  return [parts.filter((one) => one > 0).reduce((a, b) => a + b, 0), -parts.filter((one) => one < 0).reduce((a, b) => a + b, 0)];
}

/** The three contributions, those that open to the right and those that shut to the left. */
function bar(gate, limit) {
  const scale = (WIDTH / 2 - 4) / limit;
  const figure = draw("svg", { class: "parts-bar", width: WIDTH, height: 16, viewBox: `0 0 ${WIDTH} 16`, "aria-hidden": "true" });
  let right = WIDTH / 2, left = WIDTH / 2;
  for (const [look, value] of [["from-x", gate.x], ["from-h", gate.h], ["from-b", gate.bias]]) {
    const width = Math.abs(value) * scale;
    figure.append(draw("rect", { class: look, x: value > 0 ? right : left - width, y: 3, width: Math.max(0, width - 0.5), height: 10 }));
    if (value > 0) right += width;
    else left -= width;
  }
  const sum = WIDTH / 2 + (gate.x + gate.h + gate.bias) * scale;
  figure.append(draw("line", { class: "zero", x1: WIDTH / 2, x2: WIDTH / 2, y1: 0, y2: 16 }));
  figure.append(draw("path", { class: "sum", d: `M${sum - 3.5} 0h7l-3.5 5z M${sum - 3.5} 16h7l-3.5 -5z` }));
  return figure;
}

/** What is held, beside what the equation gives. */
function heldBeside(view) {
  if (!view.edited) return [];
  const { layer, unit, step } = view;
  const of = (run, name) => run.signals[layer.name][name][step][unit];
  const changed = layer.signals.filter(({ name }) => Math.abs(of(view.own, name) - of(view.edited, name)) >= 0.005);
  if (!changed.length) return [make("p", { class: "as-held" }, "As held, all of this stays as it is.")];
  const said = changed.map((signal) => `${signal.symbol} ${number(of(view.own, signal.name))} → ${number(of(view.edited, signal.name))}`);
  return [make("p", { class: "as-held" }, `As held: ${said.join(", ")}.`)];
}

/** The ledger: what each word wrote and is left of it; together it is the memory. */
function ledgerOf(view) {
  const entries = view.ledger;
  if (!entries || !entries.length) return [];
  const order = [...entries].sort((a, b) => Math.abs(b.amount) - Math.abs(a.amount)).slice(0, MOST);
  const kept = entries.filter((entry) => order.includes(entry));
  const rest = entries.filter((entry) => !order.includes(entry)).reduce((sum, { amount }) => sum + amount, 0);
  const rows = kept.map((entry) => [entry.step < 0 ? "the beginning" : shown(entry.token), entry.amount]);
  if (entries.length > kept.length) rows.push([`${entries.length - kept.length} other words`, rest]);
  const limit = Math.max(...rows.map(([, amount]) => Math.abs(amount)), 1e-6);
  const total = entries.reduce((sum, { amount }) => sum + amount, 0);
  const most = order[0];
  return [
    make("h3", {}, "Who wrote this memory"),
    make("p", {}, `The memory is ${number(total)}: exactly what each word wrote, times what the gate has kept of it since. Most comes from “${shown(most.token)}” (${number(most.amount)}).`),
    make("table", { class: "ledger" },
      make("tbody", {}, ...rows.map(([word, amount]) => make("tr", {},
        make("th", { scope: "row", dir: "auto" }, word),
        make("td", { class: "picture" }, ledgerBar(amount, limit)),
        make("td", { class: "result" }, number(amount)))))),
  ];
}

function ledgerBar(amount, limit) {
  const half = 90;
  const width = (Math.abs(amount) / limit) * (half - 2);
  return draw("svg", { width: 2 * half, height: 12, viewBox: `0 0 ${2 * half} 12`, class: "ledger-bar", "aria-hidden": "true" },
    draw("rect", { class: amount < 0 ? "less" : "more", x: amount < 0 ? half - width : half, y: 1, width: Math.max(width, 0.5), height: 10 }),
    draw("line", { class: "zero", x1: half, x2: half, y1: 0, y2: 12 }));
}
