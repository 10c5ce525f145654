// A language model in the page: from a text and edits to every signal and the next words.
//
// Runs are remembered for a while, and a new one begins where it first differs from one of them: a
// text to which a word is appended costs that word, and an edit costs the steps from the one on at
// which it first acts.

import { bound, edited, listed } from "./edits.js";
import { Layer } from "./layer.js";
import { largest, logSumExp, product, products, unpacked, transposed } from "./numbers.js";
import { Tokenizer } from "./tokenizer.js";

/** @typedef {import("./cells.js").Signals} Signals */
/** @typedef {import("./edits.js").EditJSON} EditJSON */
/** @typedef {import("./numbers.js").PackedArray} PackedArray */
/** @typedef {EditJSON[] | EditJSON | string | null} Edits */

/**
 * @typedef {object} ModelPayload
 * @property {string} name
 * @property {string} title
 * @property {string | null} path The run as `tg.load` takes it.
 * @property {string} precision `"float16"` or `"float32"`.
 * @property {import("./tokenizer.js").TokenizerPayload} tokenizer
 * @property {import("./layer.js").LayerPayload[]} layers From the input up.
 * @property {PackedArray} embedding (words, dimensions)
 * @property {PackedArray | null} projection (units, dimensions), between the last layer and a tied output.
 * @property {{kernel: PackedArray | null, bias: PackedArray | null}} output (units, words); a kernel
 *   of null is the embedding's.
 */

/**
 * One step: the signals of each layer, and what the output is given.
 * @typedef {{layers: Record<string, Signals>, top: number[], inputs: Float64Array[]}} Step
 */

/**
 * @typedef {object} Run
 * @property {import("./tokenizer.js").Reading} reading
 * @property {string} edits Their JSON.
 * @property {number} first The first step at which an edit acts.
 * @property {Step[]} steps
 * @property {({logits: Float64Array, total: number} | undefined)[]} outputs By step, as far as asked.
 */

const RUNS = 12; // remembered of the text on the screen
const OTHERS = 400; // and of those that are counted over
const PROJECTED = 4000; // words whose part of the first layer's pre-activations is remembered

export class Model {
  /** @param {ModelPayload} payload */
  constructor(payload) {
    this.about = payload;
    this.name = payload.name;
    this.tokenizer = new Tokenizer(payload.tokenizer);
    this.layers = payload.layers.map((layer) => new Layer(layer));
    this.words = payload.tokenizer.vocabulary.length;
    this.dimensions = payload.embedding.shape[1];
    this.embedding = unpacked(payload.embedding);
    const { kernel, bias } = payload.output;
    // A row of weights for each word, next to one another.
    this.readout = kernel ? transposed(unpacked(kernel), kernel.shape[0]) : this.embedding;
    this.outputBias = bias ? unpacked(bias) : null;
    this.projection = payload.projection
      ? transposed(unpacked(payload.projection), payload.projection.shape[0])
      : null;
    /** @type {Map<number, Float64Array>} */
    this.projected = new Map();
    /** @type {Run[]} */
    this.runs = [];
    this.most = RUNS;
    /** @type {Run[]} Of texts that aren't on the screen. */
    this.others = [];
    /** @type {Run | null} */
    this.last = null;
  }

  /**
   * @param {string} name
   * @returns {Layer}
   */
  layer(name) {
    const found = this.layers.find((layer) => layer.name === name);
    if (!found)
      throw new Error(
        `The recurrent layers are ${this.layers.map((one) => one.name).join(", ")}. Received: '${name}'`,
      );
    return found;
  }

  /**
   * Read a text.
   * @param {string} text
   * @param {Edits} [edits]
   * @param {string} [twin] The text that edits mean by the twin.
   * @returns {Run}
   */
  read(text, edits = null, twin = undefined) {
    const reading = this.tokenizer.read(text);
    const list = listed(edits);
    const usesTwin = list.some((edit) => edit.source?.twin || edit.reference?.twin);
    const key = list.length ? JSON.stringify([list, usesTwin ? twin : null]) : "";
    const byLayer = bound(list, {
      layers: this.layers,
      length: reading.ids.length,
      twin,
      read: (other) => this.signalsOf(this.read(other)),
    });
    const first = Math.min(...Object.values(byLayer).flatMap((of) => of.map((edit) => edit.first)), Infinity);
    const { steps, outputs } = this.begun(reading.ids, key, first);
    for (let step = steps.length; step < reading.ids.length; step++)
      steps.push(this.step(reading.ids[step], step, steps[step - 1], byLayer));
    const run = { reading, edits: key, first, steps, outputs };
    this.runs = [run, ...this.runs.filter((other) => !sameRun(other, run))].slice(0, this.most);
    return run;
  }

  /**
   * Do something that reads many texts without forgetting the runs of the text on the screen.
   * @template T
   * @param {() => T} what
   * @returns {T}
   */
  aside(what) {
    const own = this.runs;
    this.runs = this.others;
    this.most = OTHERS;
    try {
      return what();
    } finally {
      this.others = this.runs.filter((run) => !run.edits);
      this.runs = own;
      this.most = RUNS;
    }
  }

  /**
   * Read one of many texts, going on from the one before as far as they begin alike.
   * @param {string} text
   * @returns {Run}
   */
  readAfterLast(text) {
    const own = this.runs;
    this.runs = this.last ? [this.last] : [];
    this.last = this.read(text);
    this.runs = own;
    return this.last;
  }

  /**
   * Return the steps of a remembered run that are those of a new one as well, as many as there are.
   * @param {number[]} ids
   * @param {string} key
   * @param {number} first
   * @returns {{steps: Step[], outputs: Run["outputs"]}}
   */
  begun(ids, key, first) {
    let best = 0;
    /** @type {Run | null} */
    let from = null;
    for (const run of this.runs) {
      const most = run.edits === key ? Infinity : Math.min(run.first, first);
      let alike = 0;
      while (alike < most && alike < ids.length && ids[alike] === run.reading.ids[alike]) alike++;
      if (alike > best) [best, from] = [alike, run];
    }
    return { steps: from?.steps.slice(0, best) ?? [], outputs: from?.outputs.slice(0, best) ?? [] };
  }

  /**
   * @param {number} id
   * @param {number} step
   * @param {Step | undefined} before
   * @param {Record<string, import("./edits.js").Edit[]>} edits
   * @returns {Step}
   */
  step(id, step, before, edits) {
    /** @type {Record<string, Signals>} */
    const layers = {};
    let x = this.projectedWord(id);
    /** @type {number[]} */
    let top = [];
    /** @type {Float64Array[]} */
    const inputs = [];
    this.layers.forEach((layer, index) => {
      if (index) x = layer.project(top);
      inputs.push(x);
      const fixed = layer.about.fixed_gates;
      const change = (/** @type {string} */ name, /** @type {number[]} */ values) =>
        edited(edits[layer.name], name, step, name in fixed ? values.fill(fixed[name]) : values);
      layers[layer.name] = layer.step(layer, x, before?.layers[layer.name] ?? layer.initial(), change);
      top = layers[layer.name].hidden_state;
    });
    return { layers, top, inputs };
  }

  /**
   * @param {number} id
   * @returns {Float64Array}
   */
  projectedWord(id) {
    let x = this.projected.get(id);
    if (!x) {
      x = this.layers[0].project(this.embedded(id));
      if (this.projected.size >= PROJECTED) this.projected.clear();
      this.projected.set(id, x);
    }
    return x;
  }

  /**
   * @param {number} id
   * @returns {Float32Array}
   */
  embedded(id) {
    return this.embedding.subarray(id * this.dimensions, (id + 1) * this.dimensions);
  }

  /**
   * Return what the output layer's matrix is multiplied with.
   * @param {Step} step
   * @returns {ArrayLike<number>}
   */
  features(step) {
    return this.projection ? product(this.projection, step.top) : step.top;
  }

  /**
   * Return the logits after each of some steps, and the logarithm of the sum of their exponentials.
   * @param {Run} run
   * @param {number[]} [steps] All by default.
   * @returns {{logits: Float64Array, total: number}[]}
   */
  outputs(run, steps = run.steps.map((_, step) => step)) {
    const missing = steps.filter((step) => !run.outputs[step]);
    const logits = products(this.readout, missing.map((step) => this.features(run.steps[step])));
    missing.forEach((step, i) => {
      const own = logits[i];
      const bias = this.outputBias;
      if (bias) for (let word = 0; word < own.length; word++) own[word] += bias[word];
      run.outputs[step] = { logits: own, total: logSumExp(own) };
    });
    return steps.map((step) => /** @type {{logits: Float64Array, total: number}} */ (run.outputs[step]));
  }

  /**
   * Return the logits of some words after a step, without those of all others.
   * @param {Run} run
   * @param {number} step
   * @param {number[]} ids
   * @returns {number[]}
   */
  logits(run, step, ids) {
    const x = this.features(run.steps[step]);
    return ids.map((id) => product(this.readout, x, id, id + 1)[0] + (this.outputBias?.[id] ?? 0));
  }

  /**
   * Return the `k` likeliest words at an output.
   * @param {{logits: Float64Array, total: number}} output
   * @param {number} k
   * @returns {{word: string, probability: number}[]}
   */
  likeliest({ logits, total }, k) {
    return largest(logits, k).map((id) => ({
      word: this.tokenizer.vocabulary[id],
      probability: Math.exp(logits[id] - total),
    }));
  }

  /**
   * Return the signals of a run by layer and step.
   * @param {Run} run
   * @returns {Record<string, Signals[]>}
   */
  signalsOf(run) {
    return Object.fromEntries(
      this.layers.map((layer) => [layer.name, run.steps.map((step) => step.layers[layer.name])]),
    );
  }
}

/**
 * @param {Run} a
 * @param {Run} b
 */
function sameRun(a, b) {
  return a.edits === b.edits && a.reading.ids.join() === b.reading.ids.join();
}
