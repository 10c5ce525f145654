// The page's beginning: it builds what one sees into an element, and keeps it up to date.

import { chooser, make } from "./dom.js";
import { equationPanel } from "./equation.js";
import { holdPanel } from "./hold.js";
import { memoryPanel } from "./memory.js";
import { nextPanel } from "./next.js";
import { sharePanel } from "./share.js";
import { fromFragment, isState, toFragment } from "./state.js";
import { tallyPanel } from "./tally.js";
import { textPanel } from "./text.js";
import { toursPanel } from "./tours.js";
import { Asker } from "./view.js";
import { wherePanel } from "./where.js";
import { placesOf } from "./words.js";

/** @import {Data} from "./types.js" */
/** @import {State} from "./state.js" */

const PAUSE = 400; // ms without a key until what was typed becomes a step of the history

/**
 * Builds the explorer into an element.
 *
 * @param {HTMLElement} root  empty or not; its content is replaced
 * @param {any} textgate  the engine: `window.textgate`
 * @param {Partial<Data>} given
 * @returns {Promise<void>}  when all is drawn for the first time
 */
export async function start(root, textgate, given) {
  const data = completed(given);
  const asker = new Asker(textgate, data);
  let state = fromFragment(window.location.hash);
  let wanted = false;
  /** @type {Promise<void> | null} */
  let drawing = null;
  let timer = 0;

  /** Changes the state, and everything on the screen at once. */
  function act(change, manner = "step") {
    state = { ...state, ...change };
    remember(manner);
    return show();
  }

  function remember(manner) {
    const fragment = `#${toFragment(state)}`;
    if (fragment === window.location.hash || (fragment === "#" && !window.location.hash)) return;
    window.clearTimeout(timer);
    // While one types or slides, one entry of the history is enough.
    if (manner === "typing") timer = window.setTimeout(() => write(fragment), PAUSE);
    else write(fragment);
  }

  const panels = [toursPanel(act, asker), textPanel(act, data), memoryPanel(act), nextPanel(act), holdPanel(act), equationPanel(), tallyPanel(act, asker), sharePanel(act, root), wherePanel(act, asker)];
  const [tours, text, memory, next, hold, equation, tally, share, where] = panels.map(({ element }) => element);
  const models = make("div", { class: "models" });
  const problem = make("p", { class: "wrong", role: "alert" });
  root.classList.add("tgx");
  root.replaceChildren(
    make("header", { class: "top", "data-panel": "top" }, make("h1", {}, "What the gates do"), models, share),
    tours, problem, text,
    make("div", { class: "columns" }, make("div", { class: "left" }, memory, equation), make("div", { class: "right" }, next, hold, tally)),
    where);

  /** Draws the state; while it is being found, what comes in between is drawn together. */
  function show() {
    wanted = true;
    drawing ??= (async () => {
      while (wanted) {
        wanted = false;
        await draw();
      }
      drawing = null;
    })();
    return drawing;
  }

  async function draw() {
    let view;
    try {
      view = await asker.see(state);
    } catch (error) {
      problem.textContent = `The model gave no answer: ${error instanceof Error ? error.message : error}`;
      return;
    }
    problem.textContent = "";
    view.stale = wanted;
    view.upTo = (step) => view.text.slice(0, placesOf(view.text, view.own.tokens)[step]?.end ?? 0);
    hide(root, state);
    modelChooser(models, textgate, view, act);
    for (const panel of panels) panel.update(view);
    root.removeAttribute("aria-busy");
  }

  window.addEventListener("hashchange", () => {
    const { hash } = window.location;
    if (!isState(hash) || hash.replace(/^#/, "") === toFragment(state)) return;
    state = fromFragment(window.location.hash);
    show();
  });
  let width = root.clientWidth;
  window.addEventListener("resize", () => {
    if (root.clientWidth === width) return;
    width = root.clientWidth;
    show();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  await show();
}

/** What a page brings, with what it doesn't. @returns {Data} */
function completed(given) {
  return {
    pairs: given.pairs ?? [], corpus: given.corpus ?? [], findings: given.findings ?? {},
    lexicon: { twins: {}, groups: [], ...given.lexicon },
  };
}

function write(fragment) {
  try {
    window.history.pushState(null, "", fragment);
  } catch {
    window.location.hash = fragment; // a frame without a history of its own
  }
}

function modelChooser(element, textgate, view, act) {
  element.replaceChildren();
  if (textgate.models.length < 2) return void element.append(view.description.title ?? view.description.name);
  element.append(chooser("Model", textgate.models.map((name) => ({ value: name, text: name })), view.description.name, (model) => act({ model, layer: null, unit: null, units: null })));
}

function hide(root, state) {
  root.classList.toggle("embedded", state.embed);
  for (const panel of root.querySelectorAll("[data-panel]")) {
    /** @type {HTMLElement} */ (panel).hidden = state.hide.includes(panel.getAttribute("data-panel") ?? "");
  }
}

