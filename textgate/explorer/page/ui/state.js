// What is on the screen, as a few values, and as the fragment of the address.
//
// A link holds the whole state, so that a link is a lesson. What is left at its default is left out.

/**
 * @typedef {object} Hold  a change: a signal of some units, at some words, held at a value
 * @property {string} signal
 * @property {"found" | "random" | "all" | number[]} units
 * @property {"all" | {from: number, to: number | null}} words  steps, `to` not among them
 * @property {number | "twin"} value
 * @property {number} seed  which random units
 *
 * @typedef {object} State
 * @property {string | null} model
 * @property {string | null} text
 * @property {string | null} twin  null: made by itself
 * @property {number | null} step  null: the last word
 * @property {number | null} unit  null: the first that was found
 * @property {number[] | null} units  of the strip; null: those found
 * @property {string | null} layer
 * @property {string | null} signal  below the memory; null: the gate that keeps it
 * @property {"units" | "all"} view
 * @property {Hold[]} holds
 * @property {boolean} on  whether the holds act
 * @property {string | null} tour
 * @property {number} stop  of the tour
 * @property {string[]} hide
 * @property {boolean} embed
 */

/** @returns {State} */
export function beginning() {
  return {
    model: null, text: null, twin: null, step: null, unit: null, units: null, layer: null,
    signal: null, view: "units", holds: [], on: true, tour: null, stop: 0, hide: [], embed: false,
  };
}

const NUMBERS = ["step", "unit", "stop"];
const TEXTS = ["model", "text", "twin", "layer", "signal", "tour"];

/** Whether a fragment holds a state, and not the name of a place on a page around this one. */
export const isState = (fragment) => /^#?$|=/.test(fragment);

/** @param {State} state */
export function toFragment(state) {
  const parts = new URLSearchParams();
  const start = beginning();
  for (const name of [...TEXTS, ...NUMBERS]) {
    if (state[name] !== start[name]) parts.set(name, state[name]);
  }
  if (state.units) parts.set("units", state.units.join("."));
  if (state.view === "all") parts.set("view", "all");
  for (const hold of state.holds) parts.append("hold", holdAsText(hold));
  if (!state.on) parts.set("off", "1");
  if (state.hide.length) parts.set("hide", state.hide.join("."));
  if (state.embed) parts.set("embed", "1");
  return parts.toString();
}

/** @param {string} fragment  with or without "#"; what it doesn't understand it leaves out */
export function fromFragment(fragment) {
  const parts = new URLSearchParams(fragment.replace(/^#/, ""));
  const state = beginning();
  for (const name of TEXTS) if (parts.has(name)) state[name] = parts.get(name);
  for (const name of NUMBERS) {
    const value = wholeNumber(parts.get(name));
    if (value !== null) state[name] = value;
  }
  if (parts.has("units")) state.units = numbersOf(parts.get("units"));
  if (parts.get("view") === "all") state.view = "all";
  state.holds = parts.getAll("hold").flatMap((text) => holdFromText(text) ?? []);
  state.on = !parts.has("off");
  state.hide = (parts.get("hide") || "").split(/[.,]/).filter(Boolean);
  state.embed = parts.has("embed");
  return state;
}

const wholeNumber = (text) => (text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null);

const numbersOf = (text) => text.split(/[.,]/).map(wholeNumber).filter((number) => number !== null);

// forget_gate~found~all~0, cell_state~random~3-~twin~7, forget_gate~3.17~2-3~0.5
function holdAsText({ signal, units, words, value, seed }) {
  const steps = words === "all" ? words : `${words.from}-${words.to ?? ""}`;
  const which = Array.isArray(units) ? units.join(".") : units;
  return [signal, which, steps, value, ...(seed ? [seed] : [])].join("~");
}

/** @returns {Hold | null} */
function holdFromText(text) {
  const [signal, which, steps, amount, seed] = text.split("~");
  const span = /^(\d{1,4})-(\d{0,4})$/.exec(steps || "");
  const value = amount === "twin" ? amount : Number.parseFloat(amount);
  if (!signal || !(steps === "all" || span) || !(value === "twin" || Number.isFinite(value))) return null;
  return {
    signal,
    units: which === "found" || which === "random" || which === "all" ? which : numbersOf(which || ""),
    words: steps === "all" ? "all" : { from: Number(span[1]), to: span[2] ? Number(span[2]) : null },
    value,
    seed: wholeNumber(seed ?? null) ?? 0,
  };
}
