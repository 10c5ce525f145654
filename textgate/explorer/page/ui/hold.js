// The hold panel: what is held at which value, in which units, at which words, and what it does.

import { chooser, make, named, number, percent, range, refill, shown, unitsOf } from "./dom.js";
import { signalIn, unitsOfHold } from "./edits.js";
import { chancesOf } from "./words.js";

/** @import {View} from "./view.js" */
/** @import {Hold} from "./state.js" */

const MOST = 4; // holds at once

/** @param {(change: object, manner?: string) => void} act */
export function holdPanel(act) {
  const presets = make("div", { class: "presets", role: "group", "aria-label": "Ready-made changes" });
  const rows = make("div", { class: "holds" });
  const effect = make("p", { class: "effect", role: "status" });
  const element = make("section", { class: "panel", "data-panel": "hold", "aria-label": "Hold a gate" },
    make("h2", {}, "Hold it"),
    make("p", { class: "lead" }, "Fix a gate or the memory of some units, and see what the model says instead."),
    presets, rows, effect);

  /** @param {View} view */
  function update(view) {
    refill(presets, [...presetsOf(view).map((preset) => presetButton(view, preset, act)), letGo(view, act)]);
    refill(rows, [...view.state.holds.map((hold, at) => holdRow(view, hold, at, act)), addButton(view, act)]);
    effect.textContent = effectOf(view);
  }
  return { element, update };
}

/** @returns {{text: string, title: string, hold: Hold, disabled?: boolean}[]} */
function presetsOf(view) {
  const { layer } = view;
  const has = (name) => layer.signals.find((signal) => signal.name === name);
  /** @returns {Hold} */
  const hold = (signal, value, /** @type {"found" | "all"} */ units = "found") => ({ signal, units, words: "all", value, seed: 0 });
  /** @type {{text: string, title: string, hold: Hold, disabled?: boolean}[]} */
  const presets = [];
  if (layer.keeping) {
    const letter = has(layer.keeping).symbol;
    presets.push(
      { text: `never keep (${letter} = 0)`, title: "At every word these units lose what they held.", hold: hold(layer.keeping, 0) },
      { text: `always keep (${letter} = 1)`, title: "These units never let go of what they hold.", hold: hold(layer.keeping, 1) });
  }
  if (has("reset_gate")) {
    presets.push({ text: "r = 0, all units", title: "The candidates are made of the word alone, without the past.", hold: hold("reset_gate", 0, "all") });
  }
  presets.push({
    text: "take these from the twin", hold: hold(layer.memory, "twin"), disabled: !view.aligned,
    title: view.aligned ? "These units remember what they would in the twin; all others read this text." : "The twin must have as many words as the text.",
  });
  return presets;
}

function presetButton(view, preset, act) {
  const [current] = view.state.holds;
  const pressed = view.state.on && view.state.holds.length === 1 && same({ ...current, units: current.units === "random" ? "found" : current.units, seed: 0 }, preset.hold);
  return make("button", {
    type: "button", class: "toggle", "data-key": preset.text, title: preset.title, disabled: preset.disabled,
    "aria-pressed": pressed ? "true" : "false",
    onclick: () => act(pressed ? { holds: [] } : { holds: [preset.hold], on: true }),
  }, preset.text);
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function letGo(view, act) {
  if (!view.state.holds.length) return null;
  return make("button", {
    type: "button", class: "toggle", "data-key": "let go", "aria-pressed": view.state.on ? "false" : "true",
    onclick: () => act({ on: !view.state.on }),
  }, view.state.on ? "let go" : "hold again");
}

function addButton(view, act) {
  if (view.state.holds.length >= MOST) return null;
  const signal = view.signal;
  return make("button", {
    type: "button", class: "quiet", "data-key": "add",
    onclick: () => act({ holds: [...view.state.holds, { signal, units: "found", words: "all", value: 0, seed: 0 }], on: true }),
  }, view.state.holds.length ? "hold something else as well" : "or choose what to hold yourself");
}

/** A hold as a sentence with choices in it: "forget gate f of the 2 units found, at every word, is 0.50". */
function holdRow(view, hold, at, act) {
  const change = (part, manner) => act({ on: true, holds: view.state.holds.map((one, place) => (place === at ? { ...one, ...part } : one)) }, manner);
  const { layer } = view;
  const signal = layer.signals.find((one) => one.name === signalIn(layer, hold.signal));
  const order = `${at + 1}`;
  return make("div", { class: "hold" },
    chooser(`What is held, ${order}`, layer.signals.map((one) => ({ value: one.name, text: named(one) })), signal.name,
      (name) => change({ signal: name, value: typeof hold.value === "number" ? within(hold.value, layer.signals.find((one) => one.name === name)) : hold.value })),
    make("span", {}, "of"), ...whichUnits(view, hold, order, change),
    make("span", {}, "at"), whichWords(view, hold, order, change),
    make("span", {}, "is"), ...whichValue(view, hold, order, signal, change),
    make("button", {
      type: "button", class: "quiet", "aria-label": `Take away hold ${order}`, "data-key": `remove ${at}`,
      onclick: () => act({ holds: view.state.holds.filter((_, place) => place !== at) }),
    }, "×"));
}

const spanOf = (signal) => (signal.kind === "gate" ? [0, 1] : signal.name === "cell_state" ? [-3, 3] : [-1, 1]);

function within(value, signal) {
  const [low, high] = spanOf(signal);
  return Math.max(low, Math.min(high, value));
}

/** @returns {HTMLElement[]} */
function whichUnits(view, hold, order, change) {
  const count = view.found.length;
  const what = view.finding ? "found" : "that differ most";
  const chosen = Array.isArray(hold.units) ? "chosen" : hold.units;
  /** @type {HTMLElement[]} */
  const parts = [chooser(`In which units, ${order}`, [
    { value: "found", text: `the ${count} ${count === 1 ? "unit" : "units"} ${what}` },
    { value: "random", text: count === 1 ? "1 random unit" : `${count} random units` },
    { value: "all", text: `all ${view.layer.units} units` },
    { value: "chosen", text: "units of my choice" },
  ], chosen, (value) => change({ units: value === "chosen" ? view.units : value }))];
  if (hold.units === "random") {
    parts.push(make("button", { type: "button", class: "quiet", "data-key": `draw ${order}`, onclick: () => change({ seed: hold.seed + 1 }) }, "draw others"));
  }
  if (Array.isArray(hold.units)) {
    parts.push(make("input", {
      class: "numbers", type: "text", inputmode: "numeric", "aria-label": `Numbers of units, ${order}`, "data-key": `units ${order}`,
      value: hold.units.join(", "),
      onchange: (event) => change({ units: [...new Set(event.target.value.split(/[^0-9]+/).filter(Boolean).map(Number))].filter((unit) => unit < view.layer.units) }),
    }));
  } else if (hold.units !== "all") {
    parts.push(make("span", { class: "which" }, `(${(unitsOfHold(hold, view.layer, view.found) ?? []).join(", ")})`));
  }
  return parts;
}

function whichWords(view, hold, order, change) {
  const tokens = view.own.tokens;
  const from = (step) => ({ from: step, to: null });
  const text = (words) => (words === "all" ? "all" : `${words.from}-${words.to ?? ""}`);
  const options = [
    { value: "all", text: "every word" },
    ...range(tokens.length).map((step) => ({ value: text({ from: step, to: step + 1 }), text: `“${shown(tokens[step])}” alone` })),
    ...range(tokens.length).slice(1).map((step) => ({ value: text(from(step)), text: `every word from “${shown(tokens[step])}” on` })),
  ];
  if (!options.some(({ value }) => value === text(hold.words))) options.push({ value: text(hold.words), text: `steps ${text(hold.words)}` });
  return chooser(`At which words, ${order}`, options, text(hold.words), (value) => {
    const [start, end] = value.split("-");
    change({ words: value === "all" ? "all" : { from: Number(start), to: end ? Number(end) : null } });
  });
}

function whichValue(view, hold, order, signal, change) {
  const isTwin = hold.value === "twin";
  const [low, high] = spanOf(signal);
  const kind = chooser(`Held at, ${order}`, [{ value: "number", text: "the value …" }, { value: "twin", text: "as in the twin", disabled: !view.aligned && !isTwin }],
    isTwin ? "twin" : "number", (value) => change({ value: value === "twin" ? "twin" : 0 }));
  if (isTwin) return [kind];
  return [kind,
    make("input", {
      type: "range", min: low, max: high, step: 0.01, value: hold.value, "aria-label": `The value, ${order}`, "data-key": `value ${order}`,
      "aria-valuetext": `${named(signal)} = ${number(hold.value)}`,
      oninput: (event) => change({ value: Number(event.target.value) }, "typing"),
    }),
    make("output", { class: "value" }, number(hold.value))];
}

function effectOf(view) {
  const { state } = view;
  if (!state.holds.length) return "Nothing is held.";
  if (!state.on) return "Let go: the model runs as it was trained.";
  if (!view.edited) return state.holds.some(({ value }) => value === "twin") ? "The twin must have as many words as the text, so that each word has a counterpart." : "No unit is chosen.";
  const before = chancesOf(view.own, view.step), after = chancesOf(view.edited, view.step);
  const moved = [...before.keys()].filter((word) => after.has(word))
    .sort((a, b) => Math.abs(after.get(b) - before.get(b)) - Math.abs(after.get(a) - before.get(a))).slice(0, 3);
  const says = moved.filter((word) => Math.abs(after.get(word) - before.get(word)) >= 0.001)
    .map((word) => `“${word}” ${percent(before.get(word))} → ${percent(after.get(word))}`);
  const random = state.holds.some(({ units }) => units === "random");
  const which = random ? ` These are random units, the control: ${unitsOf(unitsOfHold(state.holds.find(({ units }) => units === "random"), view.layer, view.found) ?? [])}.` : "";
  const after_ = shown(view.own.tokens[view.step]);
  return (says.length ? `After “${after_}”: ${says.join(", ")}.` : `After “${after_}” nothing changes by as much as 0.1 points.`) + which;
}
