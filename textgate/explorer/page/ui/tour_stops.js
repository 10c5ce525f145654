// The three tours. Each stop asks for a prediction before it shows; its numbers are the model's own.

import { named, number, percent, range, unitsOf } from "./dom.js";
import { randomUnits } from "./edits.js";

/** @import {Lab} from "./lab.js" */

/**
 * @typedef {object} Stop
 * @property {(lab: Lab) => string} say  what one should know first
 * @property {(lab: Lab) => string} ask
 * @property {(lab: Lab) => string[]} choices
 * @property {(lab: Lab) => Promise<{right: number, text: string}>} answer
 * @property {(lab: Lab) => object} [show]  the state in which it is asked
 * @property {(lab: Lab) => object} [reveal]  the state in which it is answered
 *
 * @typedef {object} Tour
 * @property {string} name
 * @property {string} title
 * @property {string} gate  a gate that the model must have
 * @property {Stop[]} stops
 */

const hold = (signal, value, units) => [{ signal, units, words: "all", value, seed: 0 }];

/** Where the memory of the unit moves most. */
function greatestChange(lab) {
  const memory = range(lab.last + 1).map((step) => lab.value(lab.view.own, lab.layer.memory, lab.unit, step));
  const moves = memory.map((value, step) => (step ? Math.abs(value - memory[step - 1]) : 0));
  return { memory, at: moves.indexOf(Math.max(...moves)) };
}

/** Three words to choose from: where text and twin part, one later, the last. */
const someWords = (lab) => [...new Set([lab.parting, lab.parting + 2, lab.last])].filter((step) => step <= lab.last);

/** The same choice, with the right one among them. */
function wordChoices(lab, right) {
  const steps = someWords(lab);
  if (!steps.includes(right)) steps[1] = right;
  return { words: steps.map((step) => `at “${lab.token(step)}”`), right: steps.indexOf(right) };
}

const isShut = (lab) => lab.value(lab.view.own, lab.layer.keeping, lab.unit, lab.parting) < 0.5;

const lowestGate = (lab) => {
  const kept = range(lab.last).map((at) => lab.value(lab.view.own, lab.layer.keeping, lab.unit, at + 1));
  return kept.indexOf(Math.min(...kept)) + 1;
};

/** @type {Stop[]} */
const FORGET = [
  {
    say: (lab) => `Unit ${lab.unit} of this LSTM reads “${lab.view.text}”. At each word it does c = f · c′ + i · g: it keeps the share f of its old memory c′ and adds something new.`,
    ask: () => "Where does its memory change most?",
    choices: (lab) => wordChoices(lab, greatestChange(lab).at).words,
    show: (lab) => ({ unit: lab.unit, units: [lab.unit], step: lab.last, holds: [] }),
    reveal: (lab) => ({ step: greatestChange(lab).at }),
    answer: async (lab) => {
      const { memory, at } = greatestChange(lab);
      const other = lab.value(lab.view.twin, lab.layer.memory, lab.unit, at);
      return { right: wordChoices(lab, at).right, text: `At “${lab.token(at)}” it goes from ${number(memory[at - 1] ?? 0)} to ${number(memory[at])}; in the twin, to ${number(other)}. From there on it remembers which sentence it reads.` };
    },
  },
  {
    say: (lab) => `To write something new cleanly, the old must go. The forget gate f multiplies the old memory.`,
    ask: (lab) => `Is f nearer to 0 or to 1 at “${lab.token(lab.parting)}”?`,
    choices: () => ["nearer to 0: forget", "nearer to 1: keep"],
    show: (lab) => ({ step: lab.last }),
    reveal: (lab) => ({ step: lab.parting }),
    answer: async (lab) => {
      const f = (step) => lab.value(lab.view.own, lab.layer.keeping, lab.unit, step);
      const later = range(lab.last - lab.parting).map((at) => f(lab.parting + 1 + at));
      const mean = later.reduce((a, b) => a + b, 0) / Math.max(later.length, 1);
      return { right: f(lab.parting) < 0.5 ? 0 : 1, text: `f is ${number(f(lab.parting))} at “${lab.token(lab.parting)}”, and ${number(mean)} on average at the later words, where it has something to keep.` };
    },
  },
  {
    say: () => "But f never sees the memory. f = σ(W · x + U · h + b): it has the word x that is read now, what the layer said before (h), and a bias.",
    ask: (lab) => `What pushes f of this unit ${isShut(lab) ? "shut" : "open"} hardest at “${lab.token(lab.parting)}”?`,
    choices: () => ["the word x", "h, what was said before", "the bias"],
    show: (lab) => ({ step: lab.parting }),
    reveal: (lab) => ({ step: lab.parting }),
    answer: async (lab) => {
      const gate = (await lab.parts(lab.parting)).gates[lab.layer.keeping];
      const pushes = [gate.x, gate.h, gate.bias].map((one) => (isShut(lab) ? -one : one));
      return { right: pushes.indexOf(Math.max(...pushes)), text: `x adds ${number(gate.x, 1)}, h ${number(gate.h, 1)}, the bias ${number(gate.bias, 1)}: together σ(${number(gate.x + gate.h + gate.bias, 1)}) = ${number(gate.value)}. Below 0 shuts the gate, above 0 opens it.` };
    },
  },
  {
    say: (lab) => `One word later the same gate is at ${number(lab.value(lab.view.own, lab.layer.keeping, lab.unit, lab.parting + 1))}. Weights and bias are the same.`,
    ask: (lab) => `What changed more between “${lab.token(lab.parting)}” and “${lab.token(lab.parting + 1)}”: what comes from the word, or what comes from h?`,
    choices: () => ["what comes from the word x", "what comes from h"],
    show: (lab) => ({ step: lab.parting }),
    reveal: (lab) => ({ step: lab.parting + 1 }),
    answer: async (lab) => {
      const [before, after] = [await lab.parts(lab.parting), await lab.parts(lab.parting + 1)].map((parts) => parts.gates[lab.layer.keeping]);
      return { right: Math.abs(after.x - before.x) >= Math.abs(after.h - before.h) ? 0 : 1, text: `From the word: ${number(before.x, 1)} → ${number(after.x, 1)}. From h: ${number(before.h, 1)} → ${number(after.h, 1)}. That is all the gate has to go by, and it is enough: it has learned which words bring news.` };
    },
  },
  {
    say: (lab) => `Last, a test. We put the twin’s memory into ${unitsOf(lab.found)} (${lab.found.length} of ${lab.layer.units}) and leave the words as they are.`,
    ask: (lab) => `What comes after “${lab.token(lab.last)}” then?`,
    choices: (lab) => [`“${lab.good}”, as before`, `“${lab.bad}”, as in the twin`],
    show: (lab) => ({ step: lab.last, holds: [] }),
    reveal: (lab) => ({ step: lab.last, on: true, units: null, holds: hold(lab.layer.memory, "twin", "found") }),
    answer: async (lab) => {
      const edited = await lab.run([lab.edit(lab.layer.memory, "twin", lab.found)]);
      const moved = Math.max(...range(lab.last + 1).map((step) => Math.abs(lab.value(edited, lab.layer.keeping, lab.unit, step) - lab.value(lab.view.own, lab.layer.keeping, lab.unit, step))));
      const { good, bad } = lab.forms(edited);
      return { right: good >= bad ? 0 : 1, text: `Before: ${lab.formsInWords(lab.view.own)}. With the twin’s memory: ${lab.formsInWords(edited)}. And f of unit ${lab.unit} moved by at most ${number(moved, 3)}: it can’t see c, only what of it the output gate lets into h.` };
    },
  },
];

/** How far the candidates of text and twin are apart at a word that both have, with edits or without. */
async function candidatesApart(lab, step, edits) {
  const [own, twin] = [await lab.run(edits), await lab.run(edits, lab.view.twinText, lab.view.text)];
  const name = lab.layer.signals.find((signal) => signal.kind === "candidate").name;
  const apart = range(lab.layer.units).map((unit) => Math.abs(lab.value(own, name, unit, step) - lab.value(twin, name, unit, step)));
  return Math.max(...apart);
}

/** @type {Stop[]} */
const RESET = [
  {
    say: (lab) => `Unit ${lab.unit} of this GRU reads “${lab.view.text}”. h = z · h′ + (1 − z) · ĥ: the update gate z is the share of the old that is kept (so in Keras; many books write it the other way round).`,
    ask: () => "Where is z lowest, so that the unit takes in something new?",
    choices: (lab) => wordChoices(lab, lowestGate(lab)).words,
    show: (lab) => ({ unit: lab.unit, units: [lab.unit], step: lab.last, holds: [] }),
    reveal: (lab) => ({ step: lowestGate(lab) }),
    answer: async (lab) => {
      const at = lowestGate(lab);
      return { right: wordChoices(lab, at).right, text: `At “${lab.token(at)}” z is ${number(lab.value(lab.view.own, lab.layer.keeping, lab.unit, at))}. So z alone already decides what is kept and what is overwritten.` };
    },
  },
  {
    say: (lab) => `Hold z = 0 at every word in ${unitsOf(lab.found)}: nothing old is kept there.`,
    ask: (lab) => `Does the model still say “${lab.good}” rather than “${lab.bad}”?`,
    choices: () => ["yes, and as surely", "yes, but less surely", "no"],
    show: (lab) => ({ step: lab.last, holds: [] }),
    reveal: (lab) => ({ step: lab.last, on: true, holds: hold("update_gate", 0, "found") }),
    answer: async (lab) => {
      const edited = await lab.run([lab.edit("update_gate", 0, lab.found)]);
      const [before, after] = [lab.forms(lab.view.own), lab.forms(edited)];
      const right = after.good <= after.bad ? 2 : after.good < before.good - 0.05 ? 1 : 0;
      const why = right === 2 ? "" : " What z didn’t keep, the new value brought back at every word: the candidate sees the past as well.";
      return { right, text: `Before: ${lab.formsInWords(lab.view.own)}. With z = 0: ${lab.formsInWords(edited)}.${why}` };
    },
  },
  {
    say: () => "The reset gate r sits elsewhere: inside the candidate, ĥ = tanh(W · x + r · (U · h′) + b). It keeps nothing and overwrites nothing. It says how much of the past the new value may depend on.",
    ask: (lab) => `With r = 0 in all units: do the candidates at “${lab.token(lab.parting + 1)}” still differ between the text and its twin?`,
    choices: () => ["yes", "no, not at all"],
    show: (lab) => ({ step: lab.parting + 1, holds: [], signal: "candidate" }),
    reveal: (lab) => ({ step: lab.parting + 1, on: true, signal: "candidate", holds: hold("reset_gate", 0, "all") }),
    answer: async (lab) => {
      const step = lab.parting + 1;
      const free = await candidatesApart(lab, step, []);
      const held = await candidatesApart(lab, step, [lab.edit("reset_gate", 0)]);
      return { right: held > 1e-4 ? 0 : 1, text: `As trained they differ by up to ${number(free)}; with r = 0 by ${number(held)}. The candidate sees the word alone then, and “${lab.token(step)}” is the same in both. No setting of z does that.` };
    },
  },
  {
    say: () => "So r = 0 makes every new value blind to the past, while z still keeps what is there.",
    ask: (lab) => `With r = 0 in all units: does the model still say “${lab.good}” rather than “${lab.bad}”?`,
    choices: () => ["yes, and as surely", "yes, but less surely", "no"],
    show: (lab) => ({ step: lab.last, holds: [], signal: null }),
    reveal: (lab) => ({ step: lab.last, on: true, signal: null, holds: hold("reset_gate", 0, "all") }),
    answer: async (lab) => {
      const edited = await lab.run([lab.edit("reset_gate", 0)]);
      const [before, after] = [lab.forms(lab.view.own), lab.forms(edited)];
      const right = after.good <= after.bad ? 2 : after.good < before.good - 0.05 ? 1 : 0;
      return { right, text: `Before: ${lab.formsInWords(lab.view.own)}. With r = 0: ${lab.formsInWords(edited)}.` };
    },
  },
  {
    say: (lab) => `One sentence proves nothing. ${lab.view.pairs.length} held-out sentences are read with r = 0 in all units, and with z = 0 in all units.`,
    ask: () => "Which of the two flips more answers?",
    choices: () => ["r = 0: new values without the past", "z = 0: nothing old is kept"],
    show: (lab) => ({ step: lab.last, holds: [] }),
    reveal: (lab) => ({ step: lab.last, on: true, holds: hold("update_gate", 0, "all") }),
    answer: async (lab) => {
      const r = await lab.tally([lab.edit("reset_gate", 0)]), z = await lab.tally([lab.edit("update_gate", 0)]);
      return { right: r.flipped > z.flipped ? 0 : 1, text: `r = 0 flips ${r.flipped} of ${r.of}, z = 0 flips ${z.flipped} of ${z.of}. In this model z does the remembering; r lets a new value be worked out from the past, or without it.` };
    },
  },
];

/** Whether the model still prefers the right form, in words. */
const KEEPS = ["it still says the right one", "it changes its mind"];

/** A stop that breaks something and looks at the two forms. */
function breaking({ say, ask, signal, value, units }) {
  const which = (lab) => (units === "random" ? randomUnits(lab.layer.units, lab.found, 0) : lab.found);
  return {
    say, ask, choices: () => KEEPS,
    show: (lab) => ({ step: lab.last, holds: [] }),
    reveal: (lab) => ({ step: lab.last, on: true, holds: hold(signal(lab), value, units) }),
    answer: async (lab) => {
      const edited = await lab.run([lab.edit(signal(lab), value, which(lab))]);
      const { good, bad } = lab.forms(edited);
      return { right: good > bad ? 0 : 1, text: `Before: ${lab.formsInWords(lab.view.own)}. Now: ${lab.formsInWords(edited)}.` };
    },
  };
}

const keeping = (lab) => lab.layer.keeping;
const gateOf = (lab) => named(lab.layer.signals.find((signal) => signal.name === lab.layer.keeping));

/** @type {Stop[]} */
const BREAK = [
  breaking({
    say: (lab) => `${unitsOf(lab.found).replace("u", "U")} of ${lab.layer.units} ${lab.found.length === 1 ? "was" : "were"} found to hold ${lab.view.finding?.feature ?? "the difference"}. After “${lab.view.text}” the model says “${lab.good}” with ${percent(lab.forms(lab.view.own).good)}.`,
    ask: (lab) => `Hold their ${gateOf(lab)} at 0 at every word, so that they keep nothing. Does the model still prefer “${lab.good}” to “${lab.bad}”?`,
    signal: keeping, value: 0, units: "found",
  }),
  breaking({
    say: () => "A change does something just because it is a change. So try as many units drawn at random: the control.",
    ask: (lab) => `The same ${gateOf(lab)} at 0 in random units: does the model change its mind?`,
    signal: keeping, value: 0, units: "random",
  }),
  breaking({
    say: () => "The opposite: the units that were found keep everything, always, and can’t let go of what they held at the beginning.",
    ask: (lab) => `Hold their ${gateOf(lab)} at 1. Does the model still prefer “${lab.good}”?`,
    signal: keeping, value: 1, units: "found",
  }),
  breaking({
    say: (lab) => `Now leave the gates alone and give these units the memory that they have in “${lab.view.twinText}”.`,
    ask: (lab) => `All other units read the text itself. Does the model still prefer “${lab.good}”?`,
    signal: (lab) => lab.layer.memory, value: "twin", units: "found",
  }),
  {
    say: (lab) => `One example proves nothing. The same exchange is done in ${lab.view.pairs.length} held-out sentences.`,
    ask: () => "In how many does the answer flip?",
    choices: () => ["in fewer than a third", "in a third to two thirds", "in more than two thirds"],
    show: (lab) => ({ step: lab.last, holds: [] }),
    reveal: (lab) => ({ step: lab.last, on: true, holds: hold(lab.layer.memory, "twin", "found") }),
    answer: async (lab) => {
      const own = await lab.tally([lab.edit(lab.layer.memory, "twin", lab.found)]);
      const random = await lab.tally([lab.edit(lab.layer.memory, "twin", randomUnits(lab.layer.units, lab.found, 0))]);
      const share = own.flipped / own.of;
      return { right: share < 1 / 3 ? 0 : share <= 2 / 3 ? 1 : 2, text: `It flips ${own.flipped} of ${own.of}; with as many random units ${random.flipped} of ${random.of}.` };
    },
  },
];

/** @type {Tour[]} */
export const TOURS = [
  { name: "forget", title: "What does the forget gate see?", gate: "forget_gate", stops: FORGET },
  { name: "reset", title: "What does r do that z doesn’t?", gate: "reset_gate", stops: RESET },
  { name: "break", title: "Break it", gate: "", stops: BREAK },
];
