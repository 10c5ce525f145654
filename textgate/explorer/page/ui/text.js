// The text, its words as tiles, and the twin.

import { make, refill, shown } from "./dom.js";
import { counterpartOf, exchanged, placesOf } from "./words.js";

/** @import {View} from "./view.js" */
/** @import {Data, Pair} from "./types.js" */

/**
 * @param {(change: object, manner?: string) => void} act  changes the state
 * @param {Data} data
 */
export function textPanel(act, data) {
  const field = /** @type {HTMLInputElement} */ (make("input", {
    class: "text", type: "text", id: "tgx-text", spellcheck: "false", autocomplete: "off", maxlength: 600,
    oninput: () => act({ text: field.value, step: null, twin: null }, "typing"),
  }));
  const twin = /** @type {HTMLInputElement} */ (make("input", {
    class: "text twin", type: "text", id: "tgx-twin", spellcheck: "false", autocomplete: "off", maxlength: 600,
    oninput: () => act({ twin: twin.value }, "typing"),
  }));
  const tiles = make("ol", { class: "tiles", "aria-label": "Words of the text" });
  const note = make("p", { class: "note", role: "status" });
  const again = make("button", { class: "quiet", type: "button", onclick: () => act({ twin: null }) }, "make it again");
  let at = -7;
  /** @type {Pair[]} */
  let pairs = [];
  const another = make("button", {
    class: "quiet", type: "button",
    onclick: () => {
      at = (at + 7) % pairs.length;
      act({ text: pairs[at].text, twin: null, step: null });
    },
  }, "another sentence");
  const labels = [make("label", { class: "own", for: "tgx-text" }), make("label", { class: "other", for: "tgx-twin" })];
  const menu = wordMenu(act);
  const element = make("section", { class: "panel texts", "data-panel": "text", "aria-label": "Text" },
    make("div", { class: "line" },
      labels[0], field, data.pairs.length ? another : null),
    tiles, menu.element,
    make("div", { class: "line" }, labels[1], twin, again),
    note);

  /** @param {View} view */
  function update(view) {
    pairs = view.pairs;
    for (const [one, value] of /** @type {[HTMLInputElement, string][]} */ ([[field, view.text], [twin, view.twinText ?? ""]])) {
      // What is being typed while an answer is on its way is newer than the answer.
      if (one.value !== value && !(view.stale && document.activeElement === one)) one.value = value;
    }
    const isText = view.description.reads === "text";
    [labels[0].textContent, labels[1].textContent] = isText ? ["Text", "Its twin"] : ["Input", "Beside it"];
    const how = isText ? "no word with a counterpart: write a twin yourself" : "the number of another input";
    twin.placeholder = view.twinText === null ? how : "";
    again.hidden = view.state.twin === null;
    const places = isText ? placesOf(view.text, view.own.tokens) : [];
    const unknown = new Set(view.own.unknown);
    refill(tiles, view.own.tokens.map((token, step) => make("li", {},
      make("button", {
        type: "button", class: "tile" + (unknown.has(step) ? " unknown" : "") + (token === "<bos>" ? " start" : ""),
        "data-key": `tile ${step}`, "aria-pressed": step === view.step ? "true" : "false",
        "aria-haspopup": places[step] ? "menu" : null, dir: "auto",
        title: unknown.has(step) ? "The model doesn’t know this word: it reads <unk>." : null,
        onclick: (event) => {
          act({ step });
          if (places[step]) menu.open(event.currentTarget, view, step, places[step], data);
          else menu.close();
        },
      }, shown(token), unknown.has(step) ? make("span", { class: "mark" }, " unknown") : null))));
    note.textContent = sentences(view, unknown);
  }
  return { element, update };
}

function sentences(view, unknown) {
  const said = [];
  if (unknown.size) {
    said.push(`The model doesn’t know ${[...unknown].map((step) => `“${view.own.tokens[step]}”`).join(", ")}; it reads <unk> instead.`);
  }
  if (view.twin && !view.aligned) {
    said.push(`The twin has ${view.twin.tokens.length - 1} words and the text ${view.own.tokens.length - 1}: nothing can be taken from it word by word.`);
  }
  return said.join(" ");
}

/** The menu of words that a tile can be exchanged for. */
function wordMenu(act) {
  const element = make("div", { class: "menu", role: "menu", "aria-label": "Exchange this word for", hidden: true });
  let opener = null;

  function close(focus = false) {
    if (element.hidden) return;
    element.hidden = true;
    const key = opener?.getAttribute("data-key");
    if (focus && key) /** @type {HTMLElement} */ (document.querySelector(`[data-key="${key}"]`))?.focus();
  }

  function open(tile, view, step, place, data) {
    opener = tile;
    const token = view.own.tokens[step];
    const choose = (word) => {
      close(true);
      act({ text: exchanged(view.text, place, word), twin: null, step });
    };
    const item = (word) => make("button", { type: "button", role: "menuitem", dir: "auto", onclick: () => choose(word) }, word);
    const groups = groupsFor(token, view, step, data);
    element.replaceChildren(...groups.flatMap(({ name, words }) => [
      make("p", { class: "menu-title", role: "presentation" }, name),
      make("div", { class: "menu-words", role: "group", "aria-label": name }, ...words.map(item)),
    ]));
    element.hidden = false;
    const box = element.offsetParent?.getBoundingClientRect();
    const below = tile.getBoundingClientRect();
    if (box) {
      element.style.left = `${Math.max(0, Math.min(below.left - box.left, box.width - element.offsetWidth))}px`;
      element.style.top = `${below.bottom - box.top + 4}px`;
    }
    /** @type {HTMLElement} */ (element.querySelector("[role=menuitem]"))?.focus();
  }

  element.addEventListener("keydown", (event) => {
    const items = [...element.querySelectorAll("[role=menuitem]")];
    const at = items.indexOf(/** @type {any} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") close(true);
    else if (to !== undefined) /** @type {HTMLElement} */ (items[(to + items.length) % items.length]).focus();
    else return;
    event.preventDefault();
  });
  document.addEventListener("pointerdown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (!element.contains(target) && !target.closest(".tile")) close();
  });
  return { element, open, close };
}

/** Words that may stand in the place of a token, by group. */
function groupsFor(token, view, step, data) {
  const groups = [];
  const twin = counterpartOf(token, data);
  if (twin) groups.push({ name: "Its counterpart", words: [twin] });
  if (twin || step === 1) groups.push(...data.lexicon.groups);
  const likely = (view.own.next[step - 1] || []).map(({ word }) => word).filter((word) => word !== token && !word.startsWith("<"));
  if (likely.length) groups.push({ name: "What the model expected here", words: likely.slice(0, 8) });
  return groups;
}

