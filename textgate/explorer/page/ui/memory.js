// The panel of the memory: strips of the units chosen, or all units at once.

import { chooser, make, named, range, refill } from "./dom.js";
import { heatmap } from "./heatmap.js";
import { stepInWords, strip } from "./strip.js";

/** @import {View} from "./view.js" */

const MOST = 6; // strips at once

/** @param {(change: object, manner?: string) => void} act */
export function memoryPanel(act) {
  const title = make("h2", {});
  const choices = make("div", { class: "choices" });
  const key = make("p", { class: "key" });
  const body = make("div", { class: "strips" });
  const says = make("p", { class: "says", "aria-live": "polite" });
  const element = make("section", { class: "panel memory", "data-panel": "memory", "aria-label": "The memory" }, title, choices, key, body, says);

  /** @param {View} view */
  function update(view) {
    const { layer, state } = view;
    title.textContent = `The memory of the ${layer.title}, ${view.description.reads === "text" ? "word by word" : "step by step"}`;
    refill(choices, controls(view, act));
    const gate = layer.signals.find((one) => one.name === view.signal);
    const samples = [sample("own", "this text"), view.twin ? sample("other", "its twin") : null, view.edited ? sample("held", "as held") : null];
    refill(key, [
      ...(state.view === "all" ? [] : samples),
      make("span", {}, state.view === "all"
        ? `Each column is a unit, each row a word: ${gate ? `${named(gate)}, ${gate.meaning}` : view.signal}.`
        : `Above, what the unit remembers; below, ${gate ? `${named(gate)}: ${gate.meaning}` : view.signal}.`),
    ]);
    const width = Math.max(240, Math.floor(body.clientWidth || 640));
    if (state.view === "all") refill(body, [heatmap(view, width, act)]);
    else refill(body, view.units.slice(0, MOST).map((unit) => framed(view, unit, width, act, says)));
    says.textContent = `Unit ${view.unit} at ${stepInWords(view, view.unit, view.step)}.`;
  }
  return { element, update };
}

function sample(look, text) {
  return make("span", { class: `sample ${look}` }, text);
}

/** A strip in which the pointer and the arrow keys choose the word. */
function framed(view, unit, width, act, says) {
  const steps = view.own.tokens.length;
  const isFound = view.finding !== null && view.found.includes(unit);
  const column = Math.max(9, (width - 46) / steps);
  const wide = Math.round(column * steps + 46);
  const picture = strip(view, unit, wide);
  picture.setAttribute("aria-hidden", "true");
  const at = (event) => {
    const box = picture.getBoundingClientRect();
    return Math.max(0, Math.min(steps - 1, Math.floor((event.clientX - box.left - 40) / ((wide - 46) / Math.max(steps, view.twin?.tokens.length ?? 0)))));
  };
  const slider = make("div", {
    class: "strip-frame" + (unit === view.unit ? " current" : ""), role: "slider", tabindex: "0", "data-key": `strip ${unit}`,
    "aria-label": `Unit ${unit}: the word`, "aria-valuemin": 0, "aria-valuemax": steps - 1, "aria-valuenow": view.step,
    "aria-valuetext": stepInWords(view, unit, view.step),
    onclick: (event) => act({ step: at(event), unit }),
    onpointermove: (event) => { says.textContent = `Unit ${unit} at ${stepInWords(view, unit, at(event))}.`; },
    onpointerleave: () => { says.textContent = `Unit ${view.unit} at ${stepInWords(view, view.unit, view.step)}.`; },
    onkeydown: (event) => {
      const to = { ArrowRight: view.step + 1, ArrowLeft: view.step - 1, ArrowUp: view.step + 1, ArrowDown: view.step - 1, Home: 0, End: steps - 1, Enter: view.step }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      act({ step: Math.max(0, Math.min(steps - 1, to)), unit }, "typing");
    },
  }, picture);
  const heading = make("div", { class: "strip-title" },
    make("span", { class: "unit" }, `unit ${unit}`), isFound ? make("span", { class: "star" }, `★ holds ${view.finding.feature}`) : null,
    make("button", {
      type: "button", class: "quiet", "data-key": `close ${unit}`, "aria-label": `Take unit ${unit} out of the strip`,
      hidden: view.units.length < 2, onclick: () => act({ units: view.units.filter((one) => one !== unit) }),
    }, "×"));
  return make("div", { class: "strip-row" }, heading, slider);
}

function controls(view, act) {
  const { layer, description, state } = view;
  const parts = [];
  if (description.layers.length > 1) {
    parts.push(chooser("Layer", description.layers.map((one) => ({ value: one.name, text: `${one.name} (${one.title})` })), layer.name,
      (value) => act({ layer: value, unit: null, units: null })));
  }
  parts.push(chooser("Signal", layer.signals.map((one) => ({ value: one.name, text: `${named(one)}: ${one.meaning}` })), view.signal,
    (value) => act({ signal: value })));
  parts.push(chooser("Add a unit", [{ value: "", text: "one more unit …" }, ...range(layer.units).filter((unit) => !view.units.includes(unit)).map((unit) => ({ value: unit, text: `unit ${unit}${view.found.includes(unit) ? " ★" : ""}` }))], "",
    (value) => value !== "" && act({ units: [...view.units, Number(value)].slice(-MOST), unit: Number(value), view: "units" })));
  parts.push(make("button", {
    type: "button", class: "toggle", "aria-pressed": state.view === "all" ? "true" : "false", "data-key": "all units",
    onclick: () => act({ view: state.view === "all" ? "units" : "all" }),
  }, `all ${layer.units} units`));
  return parts;
}
