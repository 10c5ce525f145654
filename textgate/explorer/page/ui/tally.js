// The tally: in how many held-out sentences the change makes the model decide otherwise.
//
// One example proves nothing; and a change of random units shows what a change does by itself.

import { make, number, refill } from "./dom.js";
import { editsOf } from "./edits.js";

/** @import {View} from "./view.js" */
/** @import {Tally, Pair} from "./types.js" */

const PAUSE = 250; // ms, so that a slider can be moved freely
const AT_ONCE = 6; // sentences, between which the page can do other things

/**
 * @param {(change: object, manner?: string) => void} act
 * @param {import("./view.js").Asker} asker
 */
export function tallyPanel(act, asker) {
  const says = make("p", { class: "count", role: "status" });
  const control = make("p", { class: "note" });
  const list = make("details", {}, make("summary", {}, "The sentences"));
  const element = make("section", { class: "panel", "data-panel": "tally", "aria-label": "The tally" },
    make("h2", {}, "Does it always?"), says, control, list);
  let turn = 0;
  let shownKey = "";

  /** @param {View} view */
  function update(view) {
    const pairs = view.pairs;
    const holds = view.state.on ? view.state.holds : [];
    const where = { layer: view.layer, found: view.found, aligned: true };
    // A hold at some words of one text means nothing in another: in the tally it acts at every word.
    const everywhere = holds.map((hold) => ({ ...hold, words: "all" }));
    const edits = editsOf(/** @type {any} */ (everywhere), where);
    const key = JSON.stringify([view.description.name, edits, pairs.length]);
    if (key === shownKey) return;
    shownKey = key;
    const mine = ++turn;
    list.hidden = true;
    control.textContent = "";
    if (!pairs.length) return void (says.textContent = "There are no held-out sentences for this model.");
    if (!edits.length) return void (says.textContent = `Hold something, and ${pairs.length} held-out sentences will be read with it.`);
    says.textContent = "Counting …";
    window.setTimeout(() => count(view, edits, mine, holds).catch((error) => {
      if (mine === turn) says.textContent = `The sentences could not be counted: ${error.message}`;
    }), PAUSE);
  }

  async function count(view, edits, mine, holds) {
    const current = () => mine === turn;
    const tally = await counted(asker, view, edits, current);
    if (!tally) return;
    says.replaceChildren("Your change flips ", make("strong", {}, `${tally.flipped} of ${tally.of}`), " held-out sentences.");
    const somewhere = holds.some(({ words }) => words !== "all") ? " Here it acts at every word." : "";
    const wrong = tally.items.filter(({ before }) => before <= 0).length;
    control.textContent = (wrong ? `The unchanged model is wrong in ${wrong}.` : "The unchanged model is right in all of them.") + somewhere;
    sentences(tally.items);
    if (holds.some(({ units }) => units === "all" || units === "random")) return;
    const random = editsOf(holds.map((hold) => ({ ...hold, words: "all", units: "random" })), { layer: view.layer, found: view.found, aligned: true });
    const beside = await counted(asker, view, random, current);
    if (beside) control.textContent += ` The same with as many random units flips ${beside.flipped} of ${beside.of}.`;
  }

  function sentences(items) {
    list.hidden = false;
    const rows = [...items].sort((a, b) => Number(flips(b)) - Number(flips(a))).map((item) => make("tr", {},
      make("td", {}, make("button", { type: "button", class: "quiet", dir: "auto", onclick: () => act({ text: item.text, twin: item.twin ?? null, step: null }) }, `${item.text} …`)),
      make("td", {}, `${item.good} / ${item.bad}`),
      make("td", { class: "result" }, `${number(item.before, 1)} → ${number(item.after, 1)}`),
      make("td", {}, flips(item) ? "yes" : "no")));
    refill(list, [make("summary", {}, "The sentences"),
      make("p", { class: "note" }, "The log-odds of the right word against the wrong one, without the change and with it. Above 0 the model is right."),
      make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The sentences of the tally" }, make("table", { class: "sentences" },
        make("thead", {}, make("tr", {}, ...["sentence", "right / wrong", "log-odds", "flipped"].map((name) => make("th", { scope: "col" }, name)))),
        make("tbody", {}, ...rows)))]);
  }
  return { element, update };
}

const flips = ({ before, after }) => before > 0 !== after > 0;

/** The tally of all pairs, some at a time; null if it isn't wanted any more. */
async function counted(asker, view, edits, current) {
  /** @type {Tally} */
  const sum = { flipped: 0, of: 0, items: [] };
  for (let at = 0; at < view.pairs.length; at += AT_ONCE) {
    await new Promise((resolve) => window.setTimeout(resolve, 0));
    if (!current()) return null;
    const pairs = view.pairs.slice(at, at + AT_ONCE);
    const part = await asker.textgate.tally({ model: view.description.name, pairs, edits });
    sum.flipped += part.flipped;
    sum.of += part.of;
    sum.items.push(...part.items);
  }
  return current() ? sum : null;
}
