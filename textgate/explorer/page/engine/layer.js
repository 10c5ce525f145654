// One recurrent layer: its weights as they are multiplied, its equations, and how to speak of it.

import { ACTIVATIONS, STEPS } from "./cells.js";
import { product, transposed, unpacked } from "./numbers.js";

/** @typedef {import("./numbers.js").PackedArray} PackedArray */
/** @typedef {import("./cells.js").Signals} Signals */
/** @typedef {import("./cells.js").Change} Change */
/** @typedef {{signal: string, scale: number, offset: number}} Derived scale · signal + offset */

/**
 * @typedef {object} SignalPayload
 * @property {string} name `"forget_gate"`.
 * @property {string} symbol `"f"`.
 * @property {"gate" | "candidate" | "state"} kind
 * @property {string} meaning A few words.
 * @property {[number, number] | null} range Between what its values lie, if that is known.
 */

/**
 * @typedef {object} LayerPayload
 * @property {string} name
 * @property {string} kind `"lstm"`, `"gru"` or `"simple_rnn"`.
 * @property {string} title `"LSTM"`.
 * @property {string} convention What keeps and what writes, in a sentence.
 * @property {number} units
 * @property {string} activation
 * @property {string} recurrent_activation
 * @property {boolean} reset_after
 * @property {boolean} coupled
 * @property {boolean} leak
 * @property {Record<string, number>} fixed_gates
 * @property {SignalPayload[]} signals In the order in which a step computes them.
 * @property {string[]} in_plots Their names in the order in which figures show them.
 * @property {string[]} columns The signals in the order of the kernels' columns.
 * @property {string[]} states
 * @property {string} memory The state that is kept in part and written to.
 * @property {string | null} keeping The gate that keeps it.
 * @property {string} candidate What is written.
 * @property {Derived} retention The share of the old state that is kept.
 * @property {Derived} writing The share of the candidate that is written.
 * @property {PackedArray} kernel
 * @property {PackedArray} recurrent_kernel
 * @property {PackedArray | null} bias
 */

export class Layer {
  /** @param {LayerPayload} payload */
  constructor(payload) {
    const { units } = payload;
    this.about = payload;
    this.name = payload.name;
    this.units = units;
    this.features = payload.kernel.shape[0];
    const width = payload.columns.length * units;
    this.kernel = transposed(unpacked(payload.kernel), this.features); // (columns · units, features)
    this.recurrent = transposed(unpacked(payload.recurrent_kernel), units);
    const bias = payload.bias ? unpacked(payload.bias) : new Float32Array(width);
    this.bias = bias.subarray(0, width);
    /** Of a GRU whose reset gate acts after the product: what is added to h U. */
    this.recurrentBias = bias.length > width ? bias.subarray(width) : null;
    this.squash = ACTIVATIONS[payload.activation];
    this.gate = ACTIVATIONS[payload.recurrent_activation];
    this.resetAfter = payload.reset_after;
    this.coupled = payload.coupled;
    this.leak = payload.leak;
    this.step = STEPS[payload.kind];
    this.names = payload.signals.map((signal) => signal.name);
  }

  /** The states before the first step. @returns {Signals} */
  initial() {
    return Object.fromEntries(
      this.about.states.map((name) => [name, new Array(this.units).fill(0)]),
    );
  }

  /**
   * Return the input's part of the pre-activations, x W + b.
   * @param {ArrayLike<number>} x
   * @returns {Float64Array}
   */
  project(x) {
    const sum = product(this.kernel, x);
    for (let j = 0; j < sum.length; j++) sum[j] += this.bias[j];
    return sum;
  }

  /**
   * Return a signal, derived ones included, from all signals of a step.
   * @param {string} name
   * @param {Signals} signals
   * @returns {number[]}
   */
  signal(name, signals) {
    if (name in signals) return signals[name];
    const { signal, scale, offset } = this.derived(name);
    return signals[signal].map((value) => scale * value + offset);
  }

  /**
   * Return how a signal follows from one of the cell's own.
   * @param {string} name
   * @returns {Derived}
   */
  derived(name) {
    if (this.names.includes(name)) return { signal: name, scale: 1, offset: 0 };
    if (name === "retention") return this.about.retention;
    if (name === "writing") return this.about.writing;
    throw new Error(
      `Layer '${this.name}' has the signals ${[...this.names, "retention", "writing"].join(", ")}. ` +
        `Received: '${name}'`,
    );
  }
}
