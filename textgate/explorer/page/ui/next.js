// Next words: how likely each is after this text, after its twin, and with what is held.

import { make, percent, refill, shown } from "./dom.js";
import { appended, chancesOf } from "./words.js";

/** @import {View} from "./view.js" */

const ROWS = 9;

/** @param {(change: object, manner?: string) => void} act */
export function nextPanel(act) {
  const title = make("h2", {}, "Next word");
  const lead = make("p", { class: "lead" });
  const table = make("table", { class: "next" });
  const wrong = make("p", { class: "wrong", role: "status" });
  const element = make("section", { class: "panel", "data-panel": "next", "aria-label": "Next words" }, title, lead, table, wrong);

  /** @param {View} view */
  function update(view) {
    const speaks = view.description.says === "words";
    title.textContent = speaks ? "Next word" : "What it says";
    lead.textContent = !speaks ? `What the model says at “${shown(view.own.tokens[view.step])}”, if it says something there.` : view.own.tokens[view.step] === "<bos>"
      ? "What the model expects at the very beginning:"
      : `What the model expects after “${shown(view.own.tokens[view.step])}”. Click a word to write it.`;
    const columns = columnsOf(view);
    const words = wordsOf(view, columns);
    const head = make("tr", {}, make("th", { scope: "col" }, speaks ? "word" : "class"),
      ...columns.map(({ name, look }) => make("th", { scope: "col", class: look }, name)));
    const rows = words.map((word) => make("tr", {},
      make("th", { scope: "row" }, !speaks ? word : make("button", {
        type: "button", class: "word" + (view.forms.has(word) ? " form" : ""), "data-key": `word ${word}`, dir: "auto",
        disabled: word.startsWith("<"), title: word.startsWith("<") ? special(word) : null,
        onclick: () => act({ text: appended(textUpTo(view), word), twin: null, step: null }),
      }, word.startsWith("<") ? special(word) : word)),
      ...columns.map(({ look, chances }) => {
        const share = chances.get(word);
        return make("td", {},
          make("span", { class: "track", "aria-hidden": "true" },
            make("span", { class: `fill ${look}`, style: `width: ${(100 * Math.max(0, Math.min(1, share ?? 0))).toFixed(2)}%` })),
          make("span", { class: "chance" }, share === undefined ? "–" : percent(share)));
      })));
    table.className = `next columns-${columns.length}`;
    refill(table, [make("thead", {}, head), make("tbody", {}, ...rows)]);
    wrong.textContent = [says("The model is wrong here", view.mistake), says("As held, the model is wrong", view.mistakeAsHeld)].join(" ").trim();
  }
  return { element, update };
}

const says = (who, mistake) =>
  mistake ? `${who}: of the words that must agree, “${mistake.best}” is its likeliest, and the text is about “${mistake.about}”.` : "";

/** The text as far as the word that is chosen. */
function textUpTo(view) {
  return view.step === view.own.tokens.length - 1 ? view.text : view.upTo(view.step);
}

const special = (word) => ({ "<unk>": "(any unknown word)", "<eos>": "(the end)", "<pad>": "(padding)", "<bos>": "(start)" })[word] ?? word;

/** @param {View} view */
function columnsOf(view) {
  const columns = [{ name: "this text", look: "own", run: view.own, step: view.step }];
  if (view.twin) {
    const step = view.aligned ? view.step : Math.min(view.step, view.twin.tokens.length - 1);
    columns.push({ name: "its twin", look: "other", run: view.twin, step });
  }
  if (view.edited) columns.push({ name: "as held", look: "held", run: view.edited, step: view.step });
  return columns.map((column) => ({ ...column, chances: chancesOf(column.run, column.step) }));
}

/** The likeliest words of each column, and the forms that are likely in one; those of this text first. */
function wordsOf(view, columns) {
  const best = new Map();
  for (const { run, step, chances } of columns) {
    for (const { word } of run.next[step].slice(0, 6)) best.set(word, 0);
    for (const word of view.forms) if ((chances.get(word) ?? 0) >= 0.01) best.set(word, 0);
  }
  for (const word of best.keys()) {
    best.set(word, Math.max(...columns.map(({ chances }) => chances.get(word) ?? 0)));
  }
  const kept = [...best.keys()].sort((a, b) => best.get(b) - best.get(a)).slice(0, ROWS);
  const own = (word) => columns[0].chances.get(word) ?? 0;
  return kept.sort((a, b) => own(b) - own(a) || best.get(b) - best.get(a));
}
