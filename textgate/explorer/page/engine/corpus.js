// Where else: a signal over some thousand sentences, and where a pattern of it comes again.
//
// The sentences are read once, in the order of their words, so that those that begin alike are read
// from where they part. `prepare` does it a little at a time, in a page's idle moments; whoever asks
// sooner waits for the rest.

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./layer.js").Layer} Layer */

/** @typedef {{tokens: string[], layers: Record<string, Record<string, Float32Array>>}} Sentence */

/**
 * A place in the corpus.
 * @typedef {object} Place
 * @property {number} text The number of the sentence in the corpus.
 * @property {string[]} tokens
 * @property {number} step
 * @property {number} unit The unit of the chosen ones that has the value.
 * @property {number} value
 * @property {number[]} values Of that unit, at each step.
 */

export class Corpus {
  /**
   * @param {Model} model
   * @param {string[]} texts
   */
  constructor(model, texts) {
    this.model = model;
    this.texts = texts;
    const ids = texts.map((text) => model.tokenizer.read(text).ids.join(" "));
    this.order = texts.map((_, i) => i).sort((a, b) => (ids[a] < ids[b] ? -1 : ids[a] > ids[b] ? 1 : 0));
    /** @type {Sentence[]} */
    this.sentences = new Array(texts.length);
    this.done = 0;
  }

  /**
   * Read sentences for some milliseconds.
   * @param {number} milliseconds
   * @returns {{done: number, of: number}}
   */
  prepare(milliseconds = Infinity) {
    const end = Date.now() + milliseconds;
    while (this.done < this.order.length && Date.now() < end) {
      const number = this.order[this.done++];
      this.sentences[number] = this.read(this.texts[number]);
    }
    return { done: this.done, of: this.order.length };
  }

  /**
   * @param {string} text
   * @returns {Sentence}
   */
  read(text) {
    const run = this.model.readAfterLast(text);
    /** @type {Sentence["layers"]} */
    const layers = {};
    for (const layer of this.model.layers) {
      const own = (layers[layer.name] = /** @type {Record<string, Float32Array>} */ ({}));
      for (const name of layer.names) {
        own[name] = new Float32Array(run.steps.length * layer.units);
        run.steps.forEach((step, at) => own[name].set(step.layers[layer.name][name], at * layer.units));
      }
    }
    return { tokens: run.reading.tokens, layers };
  }

  /**
   * Return a unit's signal at each step of a sentence.
   * @param {Sentence} sentence
   * @param {Layer} layer
   * @param {string} signal
   * @param {number} unit
   * @returns {number[]}
   */
  values(sentence, layer, signal, unit) {
    const { signal: source, scale, offset } = layer.derived(signal);
    const all = sentence.layers[layer.name][source];
    return sentence.tokens.map((_, step) => scale * all[step * layer.units + unit] + offset);
  }

  /**
   * Return the places where a signal of some units is highest, lowest or jumps most, one a sentence.
   * @param {{layer: Layer, signal: string, units: number[], mode: string, k: number}} query
   * @returns {Place[]}
   */
  highest({ layer, signal, units, mode, k }) {
    const score = SCORES[mode];
    if (!score)
      throw new Error(`\`mode\` is one of ${Object.keys(SCORES).join(", ")}. Received: '${mode}'`);
    this.prepare();
    /** @type {(Place & {score: number})[]} */
    const places = [];
    this.sentences.forEach((sentence, number) => {
      let best = -Infinity;
      /** @type {(Place & {score: number}) | null} */
      let place = null;
      for (const unit of units) {
        const values = this.values(sentence, layer, signal, unit);
        // The beginning of the text is the same everywhere.
        for (let step = 1; step < values.length; step++) {
          const own = score(values, step);
          if (own <= best) continue;
          best = own;
          const { tokens } = sentence;
          place = { text: number, tokens, step, unit, value: values[step], values, score: own };
        }
      }
      if (place) places.push(place);
    });
    return distinct(places.sort((a, b) => b.score - a.score), k).map(({ score: _, ...place }) => place);
  }

  /**
   * Return where a pattern comes again: some units, on or off over some steps (LSTMVis, Strobelt et
   * al. 2018).
   * @param {{layer: Layer, signal: string, units: number[], pattern: (boolean | null)[][],
   *   threshold: number, k: number}} query `pattern` has for each unit whether it is on, at each
   *   step; null for either. A unit is on where its signal is at least the threshold.
   * @returns {(Place & {length: number, agreement: number})[]} `agreement`: the share of the pattern
   *   that is there.
   */
  matches({ layer, signal, units, pattern, threshold, k }) {
    const length = pattern[0]?.length ?? 0;
    if (pattern.length !== units.length || !length || pattern.some((row) => row.length !== length))
      throw new Error("`pattern` must have a row for each unit, all of the same number of steps.");
    this.prepare();
    const asked = pattern.flat().filter((on) => on !== null).length;
    /** @type {(Place & {length: number, agreement: number, score: number})[]} */
    const places = [];
    this.sentences.forEach((sentence, number) => {
      const rows = units.map((unit) => this.values(sentence, layer, signal, unit));
      let best = -Infinity;
      let place = null;
      for (let step = 1; step + length <= sentence.tokens.length; step++) {
        let agreeing = 0;
        let margin = 0;
        pattern.forEach((row, u) =>
          row.forEach((on, at) => {
            if (on === null) return;
            const above = rows[u][step + at] - threshold;
            if (above >= 0 === on) agreeing++;
            margin += on ? above : -above;
          }),
        );
        const score = agreeing + Math.atan(margin) / 4; // the margin decides between equals
        if (score <= best) continue;
        best = score;
        place = {
          text: number, tokens: sentence.tokens, step, length,
          unit: units[0], value: rows[0][step], values: rows[0], agreement: asked ? agreeing / asked : 1, score,
        };
      }
      if (place) places.push(place);
    });
    return distinct(places.sort((a, b) => b.score - a.score), k).map(({ score: _, ...place }) => place);
  }
}

/** @type {Record<string, (values: number[], step: number) => number>} */
const SCORES = {
  highest: (values, step) => values[step],
  lowest: (values, step) => -values[step],
  jump: (values, step) => Math.abs(values[step] - values[step - 1]),
};

/**
 * Return the first `k` places that don't have the same words up to the place as one before.
 * @template {Place} T
 * @param {T[]} places
 * @param {number} k
 * @returns {T[]}
 */
function distinct(places, k) {
  const seen = new Set();
  return places
    .filter(({ tokens, step }) => {
      const key = tokens.slice(0, step + 1).join(" ");
      return seen.size < k && !seen.has(key) && seen.add(key);
    })
    .slice(0, k);
}
