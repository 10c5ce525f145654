// What tours ask the model, so that every number in a tour is that of the model at hand.

import { percent } from "./dom.js";
import { beginning } from "./state.js";
import { chancesOf } from "./words.js";

/** @import {Asker, View} from "./view.js" */

export class Lab {
  /** @param {Asker} asker @param {View} view  of the tour's text, with nothing held */
  constructor(asker, view) {
    this.asker = asker;
    this.view = view;
    this.layer = view.layer;
    this.found = view.found;
    /** The step at which text and twin part. */
    this.parting = view.own.tokens.findIndex((token, step) => token !== view.twin?.tokens[step]);
    this.last = view.own.tokens.length - 1;
    this.unit = this.clearest();
    this.good = this.formOf(view.own);
    this.bad = this.formOf(view.twin);
  }

  /** @param {Asker} asker @param {string} model @returns {Promise<Lab | null>} null if no tour can be made */
  static async of(asker, model) {
    const view = await asker.see({ ...beginning(), model });
    return view.aligned && view.pairs.length && view.layer.keeping ? new Lab(asker, view) : null;
  }

  /** The unit found whose gate shuts most where text and twin part: there one sees it choose. */
  clearest() {
    const { own, twin } = this.view;
    const kept = (unit) => [own, twin].reduce((sum, run) => sum + this.value(run, this.layer.keeping, unit, this.parting), 0);
    return [...this.found].sort((a, b) => kept(a) - kept(b))[0];
  }

  value(run, signal, unit, step) {
    return run.signals[this.layer.name][signal][step][unit];
  }

  /** Of the words that agree, the likeliest at the end. */
  formOf(run) {
    const chances = chancesOf(run, this.last);
    return [...this.view.forms].reduce((best, word) => ((chances.get(word) ?? 0) > (chances.get(best) ?? 0) ? word : best));
  }

  symbol(name) {
    return this.layer.signals.find((signal) => signal.name === name)?.symbol ?? name;
  }

  token(step) {
    return this.view.own.tokens[step];
  }

  /** An edit of the layer; without units of all of them. */
  edit(signal, value, units) {
    const at = value === "twin" ? { intervention: "Patch", source: { twin: true } } : { intervention: "Clamp", value };
    return { ...at, layer: this.layer.name, signal, ...(units ? { units } : {}) };
  }

  run(edits, text = this.view.text, twin = this.view.twinText) {
    return this.asker.ask("run", { model: this.view.description.name, text, edits, twin, words: [...this.view.forms] });
  }

  parts(step, unit = this.unit) {
    return this.asker.ask("parts", { model: this.view.description.name, text: this.view.text, edits: [], layer: this.layer.name, unit, step });
  }

  tally(edits) {
    return this.asker.ask("tally", { model: this.view.description.name, pairs: this.view.pairs, edits });
  }

  /** The probabilities of the two forms at the end of a run. */
  forms(run) {
    const chances = chancesOf(run, this.last);
    return { good: chances.get(this.good) ?? 0, bad: chances.get(this.bad) ?? 0 };
  }

  /** "her 94 %, his 1.8 %", and the likeliest word if that is a third. */
  formsInWords(run) {
    const { good, bad } = this.forms(run);
    const [best] = run.next[this.last];
    const third = best.probability > Math.max(good, bad) && !best.word.startsWith("<") ? ` (its likeliest word is “${best.word}”, ${percent(best.probability)})` : "";
    return `“${this.good}” ${percent(good)}, “${this.bad}” ${percent(bad)}${third}`;
  }
}
