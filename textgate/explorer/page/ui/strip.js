// The memory strip: what units remember word by word, and below it the gate that keeps it.

import { draw, named, number, range, shown } from "./dom.js";

/** @import {View} from "./view.js" */

const HIGH = 92, LOW = 40, GAP = 16, LEFT = 40, TOP = 8, LABELS = 18;
// Told apart without colours too: the line's dashes and the marks' form.
const LOOKS = [
  { name: "own", dashes: null, mark: circle },
  { name: "other", dashes: "6 4", mark: square },
  { name: "held", dashes: "2 3", mark: triangle },
];

/**
 * Draws the strip of one unit.
 *
 * @param {View} view
 * @param {number} unit
 * @param {number} width  in pixels
 * @returns {SVGElement}
 */
export function strip(view, unit, width) {
  const { layer, signal } = view;
  const runs = [view.own, view.twin, view.edited];
  const steps = Math.max(view.own.tokens.length, view.twin?.tokens.length ?? 0);
  const column = (width - LEFT - 6) / steps;
  const slanted = column < 44;
  const labels = slanted ? 20 + 4.7 * Math.max(...range(steps).map((step) => labelOf(view, step).length)) : LABELS;
  const x = (step) => LEFT + (step + 0.5) * column;
  const lowTop = TOP + HIGH + GAP;
  const height = lowTop + LOW + labels;
  const above = runs.map((run) => values(run, layer.name, layer.memory, unit));
  const below = runs.map((run) => values(run, layer.name, signal, unit));
  const limit = nice(Math.max(...above.flat().map(Math.abs), 1e-3));
  const isGate = layer.signals.find((one) => one.name === signal)?.kind === "gate";
  const lowest = isGate ? 0 : -nice(Math.max(...below.flat().map(Math.abs), 1e-3));
  const highest = isGate ? 1 : -lowest;
  const high = (value) => TOP + (1 - (value / limit + 1) / 2) * HIGH;
  const low = (value) => lowTop + (1 - (value - lowest) / (highest - lowest)) * LOW;

  const figure = draw("svg", { class: "strip", width, height, viewBox: `0 0 ${width} ${height}` });
  figure.append(draw("rect", { class: "chosen", x: x(view.step) - column / 2, y: 0, width: column, height: lowTop + LOW + 2, rx: 3 }));
  axis(figure, width, [[limit, high(limit)], [0, high(0)], [-limit, high(-limit)]], high(0));
  axis(figure, width, [[highest, low(highest)], [lowest, low(lowest)]], low(0));
  const shownRuns = range(3).filter((at) => runs[at] !== null);
  const bar = Math.min(14, (column * 0.8) / shownRuns.length);
  shownRuns.forEach((at, place) => {
    const look = LOOKS[at];
    const shift = (place - (shownRuns.length - 1) / 2) * bar;
    below[at].forEach((value, step) => {
      figure.append(draw("rect", {
        class: `bar ${look.name}`, x: x(step) + shift - bar / 2, y: Math.min(low(0), low(value)),
        width: Math.max(1, bar - 1), height: Math.max(1, Math.abs(low(value) - low(0))),
      }));
    });
    figure.append(draw("polyline", {
      class: `curve ${look.name}`, "stroke-dasharray": look.dashes,
      points: above[at].map((value, step) => `${x(step).toFixed(1)},${high(value).toFixed(1)}`).join(" "),
    }));
    above[at].forEach((value, step) => figure.append(look.mark(x(step), high(value), `dot ${look.name}`, column < 14 ? 2 : 4)));
  });
  const every = Math.ceil(12 / column);
  range(steps).filter((step) => step % every === 0).forEach((step) => figure.append(label(view, step, x(step), lowTop + LOW + 14, slanted)));
  return figure;
}

function values(run, layer, signal, unit) {
  return run === null ? [] : run.signals[layer][signal].map((row) => row[unit]);
}

function axis(figure, width, ticks, zero) {
  figure.append(draw("line", { class: "zero", x1: LEFT, x2: width, y1: zero, y2: zero }));
  for (const [value, y] of ticks) {
    figure.append(draw("text", { class: "tick", x: LEFT - 6, y: y + 4, "text-anchor": "end" }, tickOf(value)));
  }
}

function labelOf(view, step) {
  const word = view.own.tokens[step] ?? "", other = view.twin?.tokens[step] ?? "";
  const both = word && other && word !== other && view.aligned ? `${shown(word)} / ${shown(other)}` : shown(word || other);
  return both.length > 16 ? `${both.slice(0, 15)}…` : both;
}

/** As many digits as a tick needs: 1, 1.5, 0.5, 0.03. */
function tickOf(value) {
  const digits = [0, 1, 2].find((count) => Math.abs(value - Number(value.toFixed(count))) < 1e-9);
  return number(value, digits ?? 3);
}

function label(view, step, x, y, slanted) {
  const place = slanted ? { "text-anchor": "end", transform: `translate(${x + 4} ${y - 4}) rotate(-48)` } : { "text-anchor": "middle", x, y };
  return draw("text", { class: "word-label" + (step === view.step ? " chosen-label" : ""), ...place }, labelOf(view, step));
}

function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 5, 10].map((factor) => factor * power).find((one) => one >= value * 0.999) ?? value;
}

function circle(x, y, name, r) {
  return draw("circle", { class: name, cx: x, cy: y, r });
}

function square(x, y, name, r) {
  return draw("rect", { class: name, x: x - r * 0.9, y: y - r * 0.9, width: r * 1.8, height: r * 1.8 });
}

function triangle(x, y, name, r) {
  return draw("path", { class: name, d: `M${x} ${y - r * 1.2}l${r * 1.2} ${r * 2.1}h${-r * 2.4}z` });
}

/** What a step of a unit says, in words: for hovering, and for who can't see the picture. */
export function stepInWords(view, unit, step) {
  const { layer, signal } = view;
  const gate = layer.signals.find((one) => one.name === signal);
  const says = (run) => `${number(run.signals[layer.name][layer.memory][step][unit])}, ${gate ? named(gate) : signal} ${number(run.signals[layer.name][signal][step][unit])}`;
  const parts = [`“${shown(view.own.tokens[step])}”: memory ${says(view.own)}`];
  if (view.aligned) parts.push(`in the twin ${says(view.twin)}`);
  if (view.edited) parts.push(`as held ${says(view.edited)}`);
  return parts.join("; ");
}

