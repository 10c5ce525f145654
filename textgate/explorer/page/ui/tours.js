// Tours: five stops each, which ask for a prediction before they show; and the worksheet to print.

import { make, range, refill } from "./dom.js";
import { Lab } from "./lab.js";
import { TOURS } from "./tour_stops.js";

/** @import {Asker, View} from "./view.js" */
/** @import {Tour} from "./tour_stops.js" */

/**
 * @param {(change: object, manner?: string) => Promise<void>} act
 * @param {Asker} asker
 */
export function toursPanel(act, asker) {
  const start = make("div", { class: "tour-start", role: "group", "aria-label": "Tours" });
  const card = make("div", { class: "tour", role: "region", "aria-label": "Tour", hidden: true });
  const element = make("section", { class: "panel tours", "data-panel": "tours", "aria-label": "Tours" }, start, card);
  /** @type {Map<string, Lab | null>} */
  const labs = new Map();
  let offered = null;
  let shownStop = "";

  async function labOf(model) {
    if (!labs.has(model)) labs.set(model, await Lab.of(asker, model));
    return labs.get(model) ?? null;
  }

  /** The tours for which there is a model, the one that is shown first. */
  async function offer(view) {
    const names = [view.description.name, ...asker.textgate.models];
    const found = [];
    for (const tour of TOURS) {
      for (const model of names) {
        const lab = await labOf(model);
        if (!lab || (tour.gate && !lab.layer.signals.some(({ name }) => name === tour.gate))) continue;
        found.push({ tour, model });
        break;
      }
    }
    return found;
  }

  async function begin(tour, model, stop = 0) {
    const lab = await labOf(model);
    if (!lab) return;
    const clean = { model, text: null, twin: null, layer: null, signal: null, units: null, unit: null, view: "units", holds: [], on: true };
    await act({ ...clean, ...tour.stops[stop].show?.(lab), tour: tour.name, stop });
  }

  /** @param {View} view */
  async function update(view) {
    const { state, description } = view;
    if (offered !== description.name) {
      offered = description.name;
      const tours = await offer(view);
      refill(start, !tours.length ? [] : [
        make("span", { class: "tour-label" }, "Tours that ask you first:"),
        ...tours.map(({ tour, model }) => make("button", { type: "button", class: "action", "data-key": `tour ${tour.name}`, onclick: () => begin(tour, model) }, tour.title)),
        make("button", { type: "button", class: "quiet", "data-key": "worksheet", onclick: () => worksheet(tours, labOf) }, "worksheet to print")]);
    }
    const tour = TOURS.find(({ name }) => name === state.tour);
    card.hidden = !tour;
    start.hidden = Boolean(tour) || !start.childElementCount;
    if (!tour) return void (shownStop = "");
    const stop = Math.min(state.stop, tour.stops.length - 1);
    if (shownStop === `${tour.name} ${stop} ${description.name}`) return;
    shownStop = `${tour.name} ${stop} ${description.name}`;
    const lab = await labOf(description.name);
    if (lab) showStop(tour, stop, lab);
    else card.hidden = true;
  }

  /** @param {Tour} tour @param {number} at @param {Lab} lab */
  function showStop(tour, at, lab) {
    const stop = tour.stops[at];
    const answer = make("p", { class: "answer", role: "status" });
    const model = lab.view.description.name;
    const last = at === tour.stops.length - 1;
    const onward = make("button", {
      type: "button", class: "action", "data-key": "onward", hidden: true,
      onclick: () => (last ? act({ tour: null, stop: 0 }) : begin(tour, model, at + 1)),
    }, last ? "the end: try it yourself" : "next");
    const choices = stop.choices(lab).map((text, place) => make("button", {
      type: "button", class: "toggle", "data-key": `choice ${place}`, "aria-pressed": "false",
      onclick: async () => {
        const { right, text: says } = await stop.answer(lab);
        choices.forEach((choice, other) => {
          choice.setAttribute("aria-pressed", other === place ? "true" : "false");
          choice.classList.toggle("correct", other === right);
          /** @type {HTMLButtonElement} */ (choice).disabled = other !== place && other !== right;
        });
        answer.replaceChildren(make("strong", {}, place === right ? "As you said. " : "Not so. "), says);
        onward.hidden = false;
        await act({ ...stop.reveal?.(lab) });
      },
    }, text));
    const back = make("button", { type: "button", class: "quiet", "data-key": "back", disabled: at === 0, onclick: () => begin(tour, model, at - 1) }, "back");
    refill(card, [
      make("div", { class: "tour-head" },
        make("h2", {}, tour.title), make("span", { class: "note" }, `${at + 1} of ${tour.stops.length}`), back,
        make("button", { type: "button", class: "quiet", "data-key": "leave", onclick: () => act({ tour: null, stop: 0, signal: null }) }, "leave the tour")),
      make("p", {}, stop.say(lab)),
      make("p", { class: "ask" }, stop.ask(lab)),
      make("div", { class: "presets", role: "group", "aria-label": "Your prediction" }, ...choices),
      answer, onward]);
  }
  return { element, update };
}

/** Prints the questions of all tours, with room for what one predicts and sees. */
async function worksheet(tours, labOf) {
  const parts = [];
  for (const { tour, model } of tours) {
    const lab = await labOf(model);
    parts.push(make("section", {},
      make("h2", {}, tour.title),
      make("ol", {}, ...tour.stops.map((stop) => make("li", {},
        make("p", {}, stop.say(lab)), make("p", { class: "ask" }, stop.ask(lab)),
        make("p", { class: "ticks" }, ...stop.choices(lab).map((choice) => make("span", {}, `☐ ${choice}`))),
        ...range(2).map((line) => make("p", { class: "blank" }, line ? "What I saw, and why: " : "Why I think so: ")))))));
  }
  const close = () => {
    sheet.remove();
    document.documentElement.classList.remove("tgx-printing");
  };
  const sheet = make("div", { class: "tgx worksheet" },
    make("p", { class: "no-print" }, make("button", { type: "button", class: "action", onclick: () => window.print() }, "print"), " ",
      make("button", { type: "button", class: "action", onclick: close }, "back to the page")),
    make("h1", {}, "What the gates do: predict, then look"),
    make("p", {}, "Name: ______________________   For each question: tick what you expect, say why, then answer it in the page."), ...parts);
  document.body.append(sheet);
  document.documentElement.classList.add("tgx-printing");
  window.scrollTo(0, 0);
  window.print();
}
