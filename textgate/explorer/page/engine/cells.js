// The equations of one step of each recurrent cell, one line each, as in textgate/recurrence/steps.py.
//
// A step is given the input's part of the pre-activations, x W + b, and the states before it. Each
// signal passes through `change(name, values)` right after it is computed, so that what is edited
// acts on the rest of the step and, by the states, on all later steps.

import { product } from "./numbers.js";

/** @typedef {number[]} Vector */
/** @typedef {Record<string, Vector>} Signals Every signal of a step by its name. */
/** @typedef {(name: string, values: Vector) => Vector} Change */
/** @typedef {import("./layer.js").Layer} Layer */

/** @type {Record<string, (x: number) => number>} As Keras has them. */
export const ACTIVATIONS = {
  linear: (x) => x,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  hard_sigmoid: (x) => Math.min(1, Math.max(0, x / 6 + 0.5)),
  hard_tanh: (x) => Math.min(1, Math.max(-1, x)),
  relu: (x) => (x > 0 ? x : 0),
  softplus: (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))),
  softsign: (x) => x / (1 + Math.abs(x)),
  exponential: Math.exp,
  silu: (x) => x / (1 + Math.exp(-x)),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
};

/** @type {Record<string, (layer: Layer, x: Float64Array, before: Signals, change: Change) => Signals>} */
export const STEPS = { lstm, gru, simple_rnn: simpleRnn };

/** @type {typeof STEPS[string]} */
function lstm(layer, x, before, change) {
  const { units: n, gate, squash } = layer;
  const c_ = before.cell_state;
  const inner = product(layer.recurrent, before.hidden_state);
  const a = (/** @type {number} */ column) => sums(x, inner, column * n, n);
  const f = change("forget_gate", a(1).map(gate));
  const i = change("input_gate", layer.coupled ? f.map((value) => 1 - value) : a(0).map(gate));
  const g = change("candidate", a(2).map(squash));
  const o = change("output_gate", a(3).map(gate));
  const c = change("cell_state", f.map((value, u) => value * c_[u] + i[u] * g[u]));
  const h = change("hidden_state", o.map((value, u) => value * squash(c[u])));
  return {
    input_gate: i,
    forget_gate: f,
    candidate: g,
    output_gate: o,
    cell_state: c,
    hidden_state: h,
  };
}

/** @type {typeof STEPS[string]} */
function gru(layer, x, before, change) {
  const { units: n, gate, squash, recurrent, recurrentBias: b } = layer;
  const h_ = before.hidden_state;
  const inner = product(recurrent, h_, 0, layer.resetAfter ? 3 * n : 2 * n);
  if (layer.resetAfter && b) for (let j = 0; j < inner.length; j++) inner[j] += b[j];
  const z = change("update_gate", sums(x, inner, 0, n).map(gate));
  const r = change("reset_gate", sums(x, inner, n, n).map(gate));
  const past = layer.resetAfter
    ? r.map((value, u) => value * inner[2 * n + u])
    : product(recurrent, r.map((value, u) => value * h_[u]), 2 * n, 3 * n);
  const candidate = change("candidate", r.map((_, u) => squash(x[2 * n + u] + past[u])));
  const kept = layer.leak ? 1 : 0;
  const h = change(
    "hidden_state",
    z.map((value, u) => kept * value * h_[u] + (1 - value) * candidate[u]),
  );
  return { update_gate: z, reset_gate: r, candidate, hidden_state: h };
}

/** @type {typeof STEPS[string]} */
function simpleRnn(layer, x, before, change) {
  const inner = product(layer.recurrent, before.hidden_state);
  const h = sums(x, inner, 0, layer.units).map(layer.squash);
  return { hidden_state: change("hidden_state", h) };
}

/**
 * @param {Float64Array} x
 * @param {Float64Array} inner
 * @param {number} start
 * @param {number} n
 * @returns {Vector}
 */
function sums(x, inner, start, n) {
  const result = new Array(n);
  for (let u = 0; u < n; u++) result[u] = x[start + u] + inner[start + u];
  return result;
}
