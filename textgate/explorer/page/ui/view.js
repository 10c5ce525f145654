// From the state to what is seen: every run, found once and kept while it may be asked for again.

import { editsOf, signalIn } from "./edits.js";
import { formsOf, mistakeOf, pairOf, twinOf } from "./words.js";

/** @import {Data, Description, Finding, Layer, Pair, Run, Parts, Entry} from "./types.js" */
/** @import {State} from "./state.js" */

const KEPT = 64; // answers of the engine
const LIKELIEST = 40; // words, so that one that is likely in one column is known in the others
const FIRST = "She came out and played with";

/**
 * @typedef {object} View  all that the panels show
 * @property {State} state
 * @property {Description} description
 * @property {Layer} layer
 * @property {Finding | null} finding
 * @property {number[]} found  the units found; without a finding, those that tell the twins apart
 * @property {string} text
 * @property {string | null} twinText
 * @property {Run} own
 * @property {Run | null} twin
 * @property {Run | null} edited
 * @property {object[]} edits
 * @property {number} step
 * @property {number} unit
 * @property {number[]} units  of the strip
 * @property {string} signal  below the memory
 * @property {boolean} aligned  whether text and twin have as many words
 * @property {Parts | null} parts
 * @property {Entry[] | null} ledger
 * @property {Pair | null} pair
 * @property {{best: string, about: string} | null} mistake  of the model as it is
 * @property {{best: string, about: string} | null} mistakeAsHeld
 * @property {Set<string>} forms  the words that the pairs ask for
 * @property {boolean} [stale]  whether a newer state is on its way
 * @property {(step: number) => string} [upTo]  the text as far as a word
 * @property {Pair[]} pairs  held-out, of the feature
 */

/** Asks the engine, and remembers what it said. */
export class Asker {
  /** @param {any} textgate @param {Data} data */
  constructor(textgate, data) {
    this.textgate = textgate;
    this.data = data;
    this.kept = new Map();
  }

  /** The answer of `textgate[name](question)`. */
  async ask(name, question) {
    const key = name + JSON.stringify(question);
    let answer = this.kept.get(key);
    if (answer === undefined) {
      answer = await this.textgate[name](question);
      if (this.kept.size >= KEPT) this.kept.delete(this.kept.keys().next().value);
      this.kept.set(key, answer);
    }
    return answer;
  }

  /** @param {State} state @returns {Promise<View>} */
  async see(state) {
    const models = this.textgate.models;
    const name = models.includes(state.model) ? state.model : models[0];
    const description = await this.ask("describe", name);
    const finding = this.data.findings[name] || null;
    const pairs = pairsOf(this.data, finding);
    const asked = formsOf(pairs).slice(0, 16);
    const wanted = state.layer ?? finding?.layer;
    const layer = description.layers.find((one) => one.name === wanted) || description.layers.at(-1);
    
    const run = (text, edits, twin) => this.ask("run", { model: name, text, edits, twin, words: asked, k: LIKELIEST });
    const text = state.text ?? (await firstText(run, pairs, description));
    const own = await run(text, []);
    const forms = new Set(asked);
    const twinText = state.twin ?? twinOf(text, own.tokens, this.data, forms);
    const twin = twinText ? await run(twinText, []) : null;
    const aligned = twin !== null && twin.tokens.length === own.tokens.length;
    const here = finding && finding.layer === layer.name;
    const found = here && finding.units.length ? finding.units : tellingUnits(own, twin, layer);
    const edits = state.on
      ? editsOf(state.holds, { layer, found, aligned })
      : [];
    const edited = edits.length ? await run(text, edits, aligned ? twinText : undefined) : null;
    const last = own.tokens.length - 1;
    const step = Math.min(state.step ?? last, last);
    const units = (state.units ?? found.slice(0, 2)).filter((unit) => unit < layer.units);
    const unit = state.unit !== null && state.unit < layer.units ? state.unit : units[0] ?? 0;
    const place = { model: name, text, edits: [], layer: layer.name, unit, step };
    return {
      state, description, layer, finding: here ? finding : null, found, text, twinText, own, twin,
      edited, edits, step, unit, units, aligned, forms, pairs,
      signal: signalIn(layer, state.signal ?? layer.keeping),
      parts: description.says === "words" ? await this.maybe("parts", place) : null,
      ledger: await this.maybe("ledger", place),
      pair: pairOf(text, this.data),
      mistake: mistakeOf(own, step, this.data, forms),
      mistakeAsHeld: edited && mistakeOf(edited, step, this.data, forms),
    };
  }

  /** An answer, or null where the engine has none for this kind of cell. */
  async maybe(name, question) {
    try {
      return (await this.ask(name, question)) ?? null;
    } catch {
      return null;
    }
  }
}

/** The held-out pairs of what was found, or of the first feature that has some. */
function pairsOf(data, finding) {
  const group = data.pairs.some((pair) => pair.group === finding?.feature) ? finding?.feature : data.pairs[0]?.group;
  return data.pairs.filter((pair) => pair.group === group);
}

/** The text of the README, where the model knows its words; else that of a pair. */
async function firstText(run, pairs, { reads }) {
  if (reads === "inputs") return "0";
  const knows = async (text) => (await run(text, [])).unknown.length === 0;
  return !pairs.length || (await knows(FIRST)) ? FIRST : pairs[0].text;
}

/** The units whose memory differs most between text and twin; without a twin the largest ones. */
function tellingUnits(own, twin, layer) {
  const mine = own.signals[layer.name][layer.memory];
  const other = twin?.signals[layer.name][layer.memory];
  const apart = new Float64Array(layer.units);
  for (let step = 0; step < mine.length; step++) {
    const beside = other && step < other.length ? other[step] : null;
    for (let unit = 0; unit < layer.units; unit++) {
      apart[unit] += Math.abs(mine[step][unit] - (beside ? beside[unit] : 0));
    }
  }
  const order = Array.from(apart.keys()).sort((a, b) => apart[b] - apart[a] || a - b);
  return order.slice(0, 2);
}
