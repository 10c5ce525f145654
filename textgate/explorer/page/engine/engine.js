// The engine: everything the page asks of its models, computed in the page. Scripts reach it as
// `window.textgate`; README.md beside this file lists what it answers.

import { Corpus } from "./corpus.js";
import { listed } from "./edits.js";
import { Model } from "./model.js";
import { formula, ledgerOf, partsOf } from "./parts.js";

/** @typedef {import("./model.js").Edits} Edits */
/** @typedef {{text: string, twin: string, good: string, bad: string, group?: string}} Pair */
/** @typedef {{word: string, probability: number}} Chance */

/**
 * @typedef {object} Data What the page holds.
 * @property {import("./model.js").ModelPayload[]} models
 * @property {Pair[]} pairs
 * @property {string[]} corpus
 * @property {any} lexicon
 * @property {any} findings
 */

/**
 * @typedef {object} RunQuery
 * @property {string} [model] The first by default.
 * @property {string} text
 * @property {Edits} [edits]
 * @property {string} [twin] The text that edits mean by `{"twin": true}`.
 * @property {number} [k] How many next words.
 * @property {string[]} [words] Words whose probabilities are asked at each step.
 * @property {boolean} [signals] `false` to leave out the signals.
 */

/**
 * @typedef {object} RunAnswer
 * @property {string[]} tokens The beginning of the text first, then its words.
 * @property {number[]} unknown The steps of those that the model doesn't know.
 * @property {Record<string, Record<string, number[][]>>} signals By layer and name, (steps, units);
 *   `retention` and `writing` as well.
 * @property {Chance[][]} next The likeliest next words after each step, the likeliest first.
 * @property {Chance[][]} asked The words asked for, after each step, in that order.
 * @property {(number | null)[]} logprobs The log-probability of each token given those before it.
 */

export class Engine {
  /** @param {Data} data */
  constructor(data) {
    this.data = data;
    this.loaded = new Map(data.models.map((payload) => [payload.name, new Model(payload)]));
    /** The names of the models. */
    this.models = [...this.loaded.keys()];
    /** @type {Map<string, Corpus>} */
    this.corpora = new Map();
  }

  /**
   * @param {string | undefined} name
   * @returns {Model}
   */
  model(name = this.models[0]) {
    const model = this.loaded.get(name);
    if (!model) throw new Error(`The models are ${this.models.join(", ")}. Received: '${name}'`);
    return model;
  }

  /**
   * Say what a model is: its layers, what their signals are called, how many words it knows.
   * @param {string | {model?: string}} [query]
   */
  describe(query) {
    const model = this.model(typeof query === "string" ? query : query?.model);
    const { name, title, path, precision } = model.about;
    const layers = model.layers.map((layer) => {
      const { kernel: _, recurrent_kernel: __, bias: ___, ...about } = layer.about;
      const formulas = { retention: formula(layer, "retention"), writing: formula(layer, "writing") };
      return { ...about, formulas };
    });
    const kinds = { reads: "text", says: "words" }; // of other models, see _subjects.py
    return { name, title, path, precision, vocabulary: model.words, ...kinds, layers };
  }

  /**
   * Say whether a model knows a word, as it stands or in lower case.
   * @param {{model?: string, word: string}} query
   * @returns {boolean}
   */
  knows({ model, word }) {
    const { tokenizer } = this.model(model);
    return ![tokenizer.unknown, -1].includes(tokenizer.idOf(word));
  }

  /**
   * Read a text, perhaps with edits.
   * @param {RunQuery} query
   * @returns {RunAnswer}
   */
  run({ model: name, text, edits = null, twin, k = 10, words = [], signals = true }) {
    const model = this.model(name);
    const run = model.read(text, edits, twin);
    const { ids, tokens, unknown } = run.reading;
    // The output of a large vocabulary costs more than all else: each step's waits to be looked at.
    const output = (/** @type {number} */ step) => model.outputs(run, [step])[0];
    const asked = words.map((word) => model.tokenizer.idOf(word));
    /** @type {RunAnswer} */
    const answer = {
      tokens,
      unknown: ids.map((_, step) => step).filter((step) => unknown[step]),
      signals: {},
      next: lazily(ids.length, (step) => model.likeliest(output(step), k)),
      asked: lazily(ids.length, (step) => {
        const { logits, total } = output(step);
        return words.map((word, i) => ({ word, probability: Math.exp((logits[asked[i]] ?? -Infinity) - total) }));
      }),
      logprobs: lazily(ids.length, (step) => {
        if (!step) return null;
        const { logits, total } = output(step - 1);
        return logits[ids[step]] - total;
      }),
    };
    if (signals)
      for (const layer of model.layers)
        answer.signals[layer.name] = Object.fromEntries(
          [...layer.names, "retention", "writing"].map((signal) => [
            signal,
            run.steps.map((step) => layer.signal(signal, step.layers[layer.name])),
          ]),
        );
    return answer;
  }

  /**
   * Return the equations of one unit at one step, with their numbers.
   * @param {{model?: string, text: string, edits?: Edits, twin?: string, layer: string, unit: number, step: number}} query
   */
  parts({ model: name, text, edits = null, twin, layer, unit, step }) {
    const model = this.model(name);
    const found = model.layer(layer);
    return partsOf(found, model.layers.indexOf(found), model.read(text, edits, twin), unit, step);
  }

  /**
   * Return who wrote a unit's memory at a step.
   * @param {{model?: string, text: string, edits?: Edits, twin?: string, layer: string, unit: number, step: number}} query
   */
  ledger({ model: name, text, edits = null, twin, layer, unit, step }) {
    const model = this.model(name);
    return ledgerOf(model.layer(layer), model.read(text, edits, twin), unit, step);
  }

  /**
   * Count in how many held-out sentences edits make the model change its mind.
   *
   * `before` and `after` are log p(good) − log p(bad); a sentence is flipped if one of them is above
   * 0 and the other is not.
   * @param {{model?: string, pairs?: Pair[], group?: string, edits: Edits}} query The page's own
   *   pairs by default, those of one group if it is named.
   */
  tally({ model: name, pairs, group, edits }) {
    const model = this.model(name);
    const chosen = pairs ?? this.data.pairs.filter((pair) => !group || pair.group === group);
    const item = (/** @type {Pair} */ pair) => {
      const ids = [pair.good, pair.bad].map((word) => model.tokenizer.idOf(word));
      const difference = (/** @type {Edits} */ own) => {
        const run = model.read(pair.text, own, pair.twin);
        const [good, bad] = model.logits(run, run.steps.length - 1, ids);
        return good - bad;
      };
      const before = difference(null);
      const after = listed(edits).length ? difference(edits) : before;
      return { ...pair, before, after, flipped: before > 0 !== after > 0 };
    };
    const items = model.aside(() => chosen.map(item));
    return { flipped: items.filter((item) => item.flipped).length, of: items.length, items };
  }

  /**
   * Read the corpus for some milliseconds, so that who asks for it needn't wait.
   * @param {{model?: string, milliseconds?: number}} [query]
   * @returns {{done: number, of: number}}
   */
  prepare({ model, milliseconds = 20 } = {}) {
    return this.corpus(model).prepare(milliseconds);
  }

  /**
   * Return the steps of the corpus at which a signal is highest, lowest or jumps.
   * @param {{model?: string, layer: string, signal: string, units?: number[], mode?: string, k?: number}} query
   */
  highest({ model, layer, signal, units, mode = "highest", k = 10 }) {
    const found = this.model(model).layer(layer);
    const chosen = units ?? Array.from({ length: found.units }, (_, unit) => unit);
    return this.corpus(model).highest({ layer: found, signal, units: chosen, mode, k });
  }

  /**
   * Return where in the corpus a pattern of units over steps comes again; see `Corpus.matches`.
   * @param {{model?: string, layer: string, signal: string, units: number[], pattern: (boolean | null)[][], threshold?: number, k?: number}} query
   */
  matches({ model, layer, signal, units, pattern, threshold = 0.5, k = 10 }) {
    const found = this.model(model).layer(layer);
    return this.corpus(model).matches({ layer: found, signal, units, pattern, threshold, k });
  }

  /**
   * @param {string} [name]
   * @returns {Corpus}
   */
  corpus(name = this.models[0]) {
    let corpus = this.corpora.get(name);
    if (!corpus) {
      corpus = new Corpus(this.model(name), this.data.corpus);
      this.corpora.set(name, corpus);
    }
    return corpus;
  }
}

/**
 * Return an array each of whose members is found when it is first looked at.
 * @template T
 * @param {number} count
 * @param {(at: number) => T} find
 * @returns {T[]}
 */
function lazily(count, find) {
  /** @type {T[]} */
  const list = new Array(count);
  const plain = { enumerable: true, configurable: true };
  for (let at = 0; at < count; at++)
    Object.defineProperty(list, at, {
      ...plain,
      get() {
        const value = find(at);
        Object.defineProperty(list, at, { ...plain, writable: true, value });
        return value;
      },
    });
  return list;
}
