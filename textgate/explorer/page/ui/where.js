// Where else? The places of a corpus where a unit is highest, lowest or jumps, and where a pattern
// that one selects over some words comes again (as in LSTMVis, Strobelt et al. 2018).

import { chooser, make, named, number, range, refill, shown } from "./dom.js";

/** @import {View} from "./view.js" */
/** @import {Place} from "./types.js" */

const MOST = 8; // places
const AROUND = 9; // words before and after a place
const SLICE = 24; // ms of reading at a time

const MODES = { highest: "is highest", lowest: "is lowest", jump: "jumps most" };

/** @param {(change: object, manner?: string) => void} act @param {import("./view.js").Asker} asker */
export function wherePanel(act, asker) {
  const choices = make("div", { class: "choices" });
  const pattern = make("div", { class: "pattern" });
  const status = make("p", { class: "note", role: "status" });
  const list = make("ol", { class: "places" });
  const element = make("details", { class: "panel where", "data-panel": "where", ontoggle: () => latest && update(latest) },
    make("summary", {}, "Where else? Search some thousand sentences"), choices, pattern, status, list);
  /** @type {View | null} */
  let latest = null;
  element.classList.toggle("empty", !asker.data.corpus.length);
  let mode = "highest";
  let which = "memory";
  /** @type {{from: number, to: number} | null} */
  let span = null;
  let turn = 0;
  let asked = "";

  /** @param {View} view */
  function update(view) {
    latest = view;
    if (!(/** @type {any} */ (element).open)) return;
    const { layer } = view;
    const signal = which === "memory" ? layer.memory : view.signal;
    const about = (name) => named(layer.signals.find((one) => one.name === name));
    refill(choices, [
      make("span", {}, `Where unit ${view.unit}’s`),
      chooser("Which signal to search", [{ value: "memory", text: about(layer.memory) }, { value: "signal", text: about(view.signal), disabled: view.signal === layer.memory }], which,
        (value) => { which = value; update(view); }),
      chooser("What to search for", [...Object.entries(MODES).map(([value, text]) => ({ value, text })), { value: "pattern", text: "does as it does here" }], mode,
        (value) => { mode = value; update(view); }),
    ]);
    refill(pattern, mode === "pattern" ? spanChoice(view) : []);
    search(view, signal).catch((error) => {
      status.textContent = `The sentences could not be searched: ${error.message}`;
    });
  }

  /** The words over which the pattern is taken. */
  function spanChoice(view) {
    const last = view.own.tokens.length - 1;
    span = span && span.to <= last ? span : { from: Math.min(1, last), to: last };
    const words = (label, chosen, set) => chooser(label, range(last + 1).map((step) => ({ value: step, text: shown(view.own.tokens[step]) })), chosen,
      (value) => { set(Number(value)); update(view); });
    return [
      make("span", {}, "from"), words("First word of the pattern", span.from, (from) => { span = { from, to: Math.max(from, span.to) }; }),
      make("span", {}, "to"), words("Last word of the pattern", span.to, (to) => { span = { from: Math.min(span.from, to), to }; }),
      make("span", { class: "note" }, `in ${view.units.length === 1 ? "the unit" : `the ${view.units.length} units`} of the strip; a unit is on where its gate is above ½, or its memory above 0.`),
    ];
  }

  async function search(view, signal) {
    const query = { model: view.description.name, layer: view.layer.name, signal, k: MOST };
    const question = mode === "pattern" ? { ...query, ...patternOf(view, signal, span) } : { ...query, units: [view.unit], mode };
    const key = JSON.stringify(question);
    if (key === asked) return;
    asked = key;
    const mine = ++turn;
    list.replaceChildren();
    if (!(await prepared(view, mine))) return;
    const places = await asker.ask(mode === "pattern" ? "matches" : "highest", question);
    if (mine !== turn) return;
    status.textContent = `${places.length} places in ${asker.data.corpus.length} sentences. Click one to read it.`;
    refill(list, places.map((place) => make("li", {}, lineOf(place))));
  }

  /** Reads the corpus a little at a time, so that the page stays quick. */
  async function prepared(view, mine) {
    for (;;) {
      const { done, of } = (await asker.textgate.prepare?.({ model: view.description.name, milliseconds: SLICE })) ?? { done: 1, of: 1 };
      if (mine !== turn) return false;
      if (done >= of) return true;
      status.textContent = `Reading ${of} sentences: ${done} so far …`;
      await new Promise((resolve) => window.setTimeout(resolve, 0));
    }
  }

  /** A sentence around a place, each word tinted by the value there. @param {Place} place */
  function lineOf(place) {
    const length = place.length ?? 1;
    const from = Math.max(1, place.step - AROUND), to = Math.min(place.tokens.length, place.step + length + AROUND);
    const limit = Math.max(...place.values.map(Math.abs), 1e-6);
    const words = range(to - from).map((at) => {
      const step = from + at, value = place.values[step] / limit;
      const inside = step >= place.step && step < place.step + length;
      return make("span", {
        class: inside ? "place" : "", dir: "auto", title: `${shown(place.tokens[step])}: ${number(place.values[step])}`,
        style: `background: color-mix(in srgb, var(${value < 0 ? "--other" : "--own"}) ${Math.round(45 * Math.abs(value))}%, transparent)`,
      }, place.tokens[step]);
    });
    const text = asker.data.corpus[place.text] ?? "";
    return make("button", { type: "button", class: "line", "aria-label": `${number(place.value)}: ${text}`, onclick: () => act({ text, twin: null, step: place.step }) },
      make("span", { class: "amount" }, number(place.value)), from > 1 ? make("span", {}, "… ") : null,
      ...words.flatMap((word) => [word, " "]), to < place.tokens.length ? make("span", {}, "…") : null);
  }
  return { element, update };
}

/** What the units of the strip do between two words, as on and off. */
function patternOf(view, signal, span) {
  const rows = view.own.signals[view.layer.name][signal];
  const about = view.layer.signals.find((one) => one.name === signal);
  const threshold = about?.kind === "gate" ? 0.5 : 0;
  const steps = range(span.to - span.from + 1).map((at) => span.from + at);
  return { units: view.units, threshold, pattern: view.units.map((unit) => steps.map((step) => rows[step][unit] >= threshold)) };
}
