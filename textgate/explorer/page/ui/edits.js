// Holds as edits: the JSON of `tg.interventions.to_json`, which the engine carries out.

/** @import {Layer, Finding} from "./types.js" */
/** @import {Hold} from "./state.js" */

/**
 * The edits of some holds, in their order.
 *
 * @param {Hold[]} holds
 * @param {{layer: Layer, found: number[], aligned: boolean}} where  `aligned`: whether the
 *   twin has as many words, so that something can be taken from it
 * @returns {object[]}
 */
export function editsOf(holds, { layer, found, aligned }) {
  const edits = [];
  for (const hold of holds) {
    if (hold.value === "twin" && !aligned) continue;
    const units = unitsOfHold(hold, layer, found);
    if (units !== null && units.length === 0) continue;
    /** @type {Object<string, any>} */
    const edit = { intervention: hold.value === "twin" ? "Patch" : "Clamp", layer: layer.name };
    edit.signal = signalIn(layer, hold.signal);
    if (units !== null) edit.units = units;
    if (hold.words !== "all") edit.steps = { slice: [hold.words.from, hold.words.to, null] };
    if (hold.value === "twin") edit.source = { twin: true };
    else edit.value = hold.value;
    edits.push(edit);
  }
  return edits;
}

/** The units of a hold, or null for all. @returns {number[] | null} */
export function unitsOfHold(hold, layer, found) {
  if (hold.units === "all") return null;
  if (hold.units === "found") return found;
  if (hold.units === "random") return randomUnits(layer.units, found, hold.seed);
  return hold.units.filter((unit) => unit < layer.units);
}

/** As many units as were found, drawn among the others: the control. */
export function randomUnits(count, found, seed) {
  const others = [];
  for (let unit = 0; unit < count; unit++) if (!found.includes(unit)) others.push(unit);
  const next = generator(seed + 1);
  for (let at = others.length - 1; at > 0; at--) {
    const other = Math.floor(next() * (at + 1));
    [others[at], others[other]] = [others[other], others[at]];
  }
  return others.slice(0, found.length).sort((a, b) => a - b);
}

// Mulberry32: a link must draw the same units on every machine.
function generator(seed) {
  let state = (seed * 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * The signal of a layer that is called so, or plays the same part where the layer has none of the
 * name: the LSTM's forget gate and the GRU's update gate both keep the old memory.
 */
export function signalIn(layer, name) {
  const gates = layer.signals.filter((signal) => signal.kind === "gate").map((signal) => signal.name);
  if (layer.signals.some((signal) => signal.name === name)) return name;
  const keeping = layer.keeping || gates[0] || layer.memory;
  if (!name || name === "forget_gate" || name === "update_gate" || name === "input_gate") return keeping;
  if (name.endsWith("_gate")) return gates.find((gate) => gate !== keeping) || keeping;
  return layer.memory;
}
