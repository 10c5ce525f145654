// What the page and the engine behind it agree on, as types. Nothing here runs.
//
// The page knows a model only by `window.textgate`, so that an engine in the page and a server
// behind it look alike; every answer may be a promise. Modules use named imports and exports only.
// Steps count the tokens, of which "<bos>" is the first; units count from 0.

/**
 * @typedef {object} Signal
 * @property {string} name  "forget_gate"
 * @property {string} symbol  "f"
 * @property {"gate" | "candidate" | "state"} kind
 * @property {string} meaning  "share of the old state kept"
 *
 * @typedef {object} Layer
 * @property {string} name  as edits name it
 * @property {string} kind  "lstm", "gru", "simple_rnn" or that of a registered cell
 * @property {string} title  "LSTM"
 * @property {number} units
 * @property {Signal[]} signals
 * @property {string} memory  the signal that remembers: "cell_state"
 * @property {string | null} keeping  the gate that keeps the old memory: "forget_gate", "update_gate"
 * @property {string} convention  the equation in a sentence
 *
 * @typedef {object} Description  what `describe(name)` answers
 * @property {string} name
 * @property {string} title
 * @property {Layer[]} layers
 * @property {number} vocabulary  how many words it knows
 * @property {"text" | "inputs"} reads  what is typed: text, or the number of an input
 * @property {"words" | "classes"} says  what its outputs stand for
 * @property {string} [path]  the run as `tg.load` takes it, for "copy the Python"
 *
 * @typedef {{word: string, probability: number}} Chance
 *
 * @typedef {object} Run  what `run({model, text, edits, words})` answers
 * @property {string[]} tokens  as they were written, "<bos>" first
 * @property {number[]} unknown  the steps of tokens that the model doesn't know
 * @property {Object<string, Object<string, ArrayLike<number>[]>>} signals  layer, name, step, unit
 * @property {Chance[][]} next  at each step the likeliest next words, likeliest first
 * @property {Chance[][]} asked  at each step the words that were asked for, in that order
 *
 * @typedef {object} GateParts  what a gate or candidate is made of before its activation
 * @property {number} x  from the word read now
 * @property {number} h  from the hidden state before (behind r in a GRU's candidate)
 * @property {number} bias
 * @property {number} value  after the activation
 *
 * @typedef {object} Parts  what `parts({model, text, edits, layer, unit, step})` answers
 * @property {Object<string, GateParts>} gates  by signal, candidates among them
 * @property {number} before  the memory before the step
 * @property {number} kept  f · c′, or z · h′
 * @property {number} written  i · g, or (1 − z) · ĥ
 * @property {number} after  the memory after it
 * @property {string} writing  what writes, as one writes it: "i", "1 − z"
 *
 * @typedef {{step: number, token: string, amount: number}} Entry  one word of `ledger(...)`: what it
 *     wrote into the memory of the unit and is left of it at the step; step −1 is the initial state
 *
 * @typedef {object} Tally  what `tally({model, pairs, edits})` answers
 * @property {number} flipped  items decided otherwise than without the edits
 * @property {number} of
 * @property {(Pair & {before: number, after: number})[]} items
 *     log p(good) − log p(bad), without the edits and with them
 *
 * @typedef {{text: number, step: number, value: number, values: number[], tokens: string[], length?: number}} Place  one of
 *     `highest({model, layer, signal, units, mode: "highest" | "lowest" | "jump", k})`
 */

// Edits are the JSON of `tg.interventions.to_json`. A `Patch` can't name a trace here; its `source`
// is `{text: "He came out and"}`, another text with as many tokens, or, in a tally, `{twin: true}`,
// the twin of each pair.

/**
 * @typedef {object} Pair  a text up to the word that is to come
 * @property {string} text  "She came out and played with"
 * @property {string} twin  "He came out and played with"
 * @property {string} good  "her"
 * @property {string} bad  "his"
 * @property {string} [group]
 *
 * @typedef {object} Finding  what `find_units` found in a model
 * @property {string} feature
 * @property {string} layer
 * @property {string} signal
 * @property {number[]} units  the smallest sufficient set, strongest first
 * @property {string} [says]  the verdict in a sentence
 *
 * @typedef {object} Data  the JSON of `#textgate-data`
 * @property {Pair[]} pairs  held-out ones
 * @property {string[]} corpus
 * @property {{twins: Object<string, string>, groups: {name: string, words: string[]}[]}} lexicon
 *     the counterpart of a word, lower case where case doesn't matter; words to exchange, by group
 * @property {Object<string, Finding>} findings  by model
 */

export {};
