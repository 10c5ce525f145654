// Why a gate is what it is, and who wrote a memory: the equations of one unit at one step, with their
// numbers.

import { ACTIVATIONS } from "./cells.js";
import { product } from "./numbers.js";

/** @typedef {import("./layer.js").Layer} Layer */
/** @typedef {import("./model.js").Run} Run */
/** @typedef {import("./cells.js").Signals} Signals */

/**
 * One signal of the kernels, a gate or a candidate: activation(x + h + bias).
 * @typedef {object} Gate
 * @property {string} symbol
 * @property {number} x So much from the word, or from the layer below: x W.
 * @property {number} h So much from the state before: h U (with its reset gate, for a GRU's candidate).
 * @property {number} bias
 * @property {number} sum
 * @property {string} activation
 * @property {number} computed What the equation gives.
 * @property {number} value What the step goes on with: the same, unless it is fixed or edited.
 */

/**
 * @typedef {object} Parts
 * @property {string} token
 * @property {Record<string, Gate>} gates By signal, the candidate among them.
 * @property {string} memory The signal that is the memory.
 * @property {string} retention What keeps, as one writes it: `f`, `z`.
 * @property {string} writing What writes: `i`, `1 − z`.
 * @property {number} before The memory before the step.
 * @property {number} kept
 * @property {number} written
 * @property {number} after The memory after it: kept + written, unless it is edited.
 * @property {number} hidden
 */

/**
 * Return the equations of one unit at one step.
 * @param {Layer} layer
 * @param {number} index The number of the layer in its model.
 * @param {Run} run
 * @param {number} unit
 * @param {number} step
 * @returns {Parts}
 */
export function partsOf(layer, index, run, unit, step) {
  check("unit", unit, layer.units);
  check("step", step, run.steps.length);
  const now = run.steps[step].layers[layer.name];
  const previous = step ? run.steps[step - 1].layers[layer.name] : layer.initial();
  const x = run.steps[step].inputs[index];
  /** @type {Record<string, Gate>} */
  const gates = {};
  layer.about.columns.forEach((name, column) => {
    const at = column * layer.units + unit;
    const own = now[name][unit];
    let bias = layer.bias[at];
    const input = x[at] - bias;
    let h = layer.recurrentBias?.[at] ?? 0;
    // The recurrent bias of a GRU's candidate stands within the reset gate's reach.
    const reset = name === "candidate" && layer.about.kind === "gru" ? now.reset_gate : null;
    const state = previous.hidden_state;
    const past = reset && !layer.resetAfter ? state.map((value, u) => reset[u] * value) : state;
    const factor = reset && layer.resetAfter ? reset[unit] : 1;
    bias += factor * h;
    h = factor * product(layer.recurrent, past, at, at + 1)[0];
    const { symbol, kind } = signalOf(layer, name);
    const activation = kind === "gate" ? layer.about.recurrent_activation : layer.about.activation;
    const sum = input + h + bias;
    const computed =
      layer.coupled && name === "input_gate" ? 1 - now.forget_gate[unit] : ACTIVATIONS[activation](sum);
    gates[name] = { symbol, x: input, h, bias, sum, activation, computed, value: own };
  });
  const { memory } = layer.about;
  const { kept, written } = flowOf(layer, now, previous, unit);
  return {
    token: run.reading.tokens[step],
    gates,
    memory,
    retention: formula(layer, "retention"),
    writing: formula(layer, "writing"),
    before: previous[memory][unit],
    kept,
    written,
    after: now[memory][unit],
    hidden: now.hidden_state[unit],
  };
}

/**
 * Return what of a unit's memory is kept and what is written at a step.
 * @param {Layer} layer
 * @param {Signals} now
 * @param {Signals} before
 * @param {number} unit
 */
function flowOf(layer, now, before, unit) {
  const { memory, candidate } = layer.about;
  const retention = layer.leak ? layer.signal("retention", now)[unit] : 0;
  return {
    retention,
    kept: retention * before[memory][unit],
    written: layer.signal("writing", now)[unit] * now[candidate][unit],
  };
}

/**
 * One word's entry: what it wrote, the share of that which is left, and their product. Where the
 * memory itself is edited, what the edit added counts as written there.
 * @typedef {{step: number, token: string, written: number, left: number, amount: number}} Entry
 */

/**
 * Return who wrote a unit's memory at a step. The amounts sum to the value, exactly.
 * @param {Layer} layer
 * @param {Run} run
 * @param {number} unit
 * @param {number} step
 * @returns {Entry[]}
 */
export function ledgerOf(layer, run, unit, step) {
  check("unit", unit, layer.units);
  check("step", step, run.steps.length);
  const { memory } = layer.about;
  /** @type {Entry[]} */
  const entries = [];
  let left = 1;
  for (let at = step; at >= 0; at--) {
    const now = run.steps[at].layers[layer.name];
    const before = at ? run.steps[at - 1].layers[layer.name] : layer.initial();
    const { retention, kept } = flowOf(layer, now, before, unit);
    const written = now[memory][unit] - kept;
    entries.unshift({ step: at, token: run.reading.tokens[at], written, left, amount: left * written });
    left *= retention;
  }
  return entries;
}

/**
 * @param {Layer} layer
 * @param {string} name
 */
export function signalOf(layer, name) {
  const found = layer.about.signals.find((signal) => signal.name === name);
  if (!found) throw new Error(`Layer '${layer.name}' has no signal '${name}'.`);
  return found;
}

/**
 * Return a derived signal as one writes it: `f`, `1 − z`, `0`.
 * @param {Layer} layer
 * @param {"retention" | "writing"} name
 * @returns {string}
 */
export function formula(layer, name) {
  const { signal, scale, offset } = layer.about[name];
  const letter = signalOf(layer, signal).symbol;
  if (!scale) return String(offset);
  const term = Math.abs(scale) === 1 ? letter : `${Math.abs(scale)} ${letter}`;
  if (!offset) return scale > 0 ? term : `−${term}`;
  return `${offset} ${scale > 0 ? "+" : "−"} ${term}`;
}

/**
 * @param {string} name
 * @param {number} value
 * @param {number} count
 */
function check(name, value, count) {
  if (!Number.isInteger(value) || value < 0 || value >= count)
    throw new Error(`\`${name}\` must be from 0 to ${count - 1}. Received: ${value}`);
}
