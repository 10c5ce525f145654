// All units at once: a column a unit, a row a word, on a canvas.

import { make, named, number, shown } from "./dom.js";

/** @import {View} from "./view.js" */

const ROW = 18, LEFT = 84, BOTTOM = 20;

/**
 * @param {View} view
 * @param {number} width
 * @param {(change: object, manner?: string) => void} act
 */
export function heatmap(view, width, act) {
  const { layer, signal } = view;
  const run = view.edited ?? view.own;
  const rows = run.signals[layer.name][signal];
  const about = layer.signals.find((one) => one.name === signal);
  const isGate = about?.kind === "gate";
  const order = unitsInOrder(view);
  const height = ROW * rows.length + BOTTOM;
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", { "aria-hidden": "true", style: `width: ${width}px; height: ${height}px` }));
  const column = (width - LEFT) / order.length;
  paint(canvas, { view, rows, order, isGate, width, height, column });
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const at = Math.max(0, Math.min(order.length - 1, Math.floor((event.clientX - box.left - LEFT) / column)));
    const step = Math.max(0, Math.min(rows.length - 1, Math.floor((event.clientY - box.top) / ROW)));
    return { at, step };
  };
  const tip = make("p", { class: "note", role: "status" }, `Starred units first, then those in which the text and its twin differ most${view.edited ? "; as held" : ""}.${isGate ? "" : " Blue is above 0, orange below."}`);
  const frame = make("div", {
    class: "map", role: "group", tabindex: "0", "data-key": "map",
    "aria-label": `All units: arrow keys choose unit and word. Now unit ${view.unit}, “${shown(run.tokens[view.step])}”, ${about ? named(about) : signal} ${number(rows[view.step][view.unit])}.`,
    onclick: (event) => { const { at, step } = place(event); act({ unit: order[at], step }); },
    onpointermove: (event) => {
      const { at, step } = place(event);
      tip.textContent = `Unit ${order[at]} at “${shown(run.tokens[step])}”: ${about ? named(about) : signal} ${number(rows[step][order[at]])}.`;
    },
    onkeydown: (event) => {
      const [right, down] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key] ?? [0, 0];
      if (!right && !down) return;
      event.preventDefault();
      const at = Math.max(0, Math.min(order.length - 1, order.indexOf(view.unit) + right));
      act({ unit: order[at], step: Math.max(0, Math.min(rows.length - 1, view.step + down)) }, "typing");
    },
  }, canvas);
  return make("div", {}, frame, tip);
}

function unitsInOrder(view) {
  const { layer } = view;
  const mine = view.own.signals[layer.name][layer.memory];
  const other = view.twin?.signals[layer.name][layer.memory];
  const apart = new Float64Array(layer.units);
  for (let step = 0; step < mine.length; step++) {
    for (let unit = 0; unit < layer.units; unit++) {
      apart[unit] += Math.abs(mine[step][unit] - (other && step < other.length ? other[step][unit] : 0));
    }
  }
  const found = (unit) => Number(view.found.includes(unit));
  return Array.from(apart.keys()).sort((a, b) => found(b) - found(a) || apart[b] - apart[a] || a - b);
}

/** A size that few values exceed: among many, the largest would wash out the others. */
function usualSize(rows, units) {
  const sizes = rows.flatMap((row) => units.map((unit) => Math.abs(row[unit]))).sort((a, b) => a - b);
  return Math.max(sizes[Math.floor(0.98 * (sizes.length - 1))], 1e-6);
}

function paint(canvas, { view, rows, order, isGate, width, height, column }) {
  const sharp = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * sharp);
  canvas.height = Math.round(height * sharp);
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const style = getComputedStyle(document.querySelector(".tgx") ?? document.body);
  const colour = (name) => style.getPropertyValue(name).trim();
  const [paper, ink, accent, low, high] = ["--paper", "--ink", "--held", "--own", "--other"].map(colour);
  pen.scale(sharp, sharp);
  pen.font = `12px ${style.fontFamily}`;
  const limit = isGate ? 1 : usualSize(rows, order);
  rows.forEach((row, step) => {
    pen.fillStyle = ink;
    pen.textAlign = "right";
    const word = shown(view.own.tokens[step]);
    pen.fillText(word.length > 11 ? `${word.slice(0, 10)}…` : word, LEFT - 8, step * ROW + 13);
    order.forEach((unit, at) => {
      const value = row[unit] / limit;
      pen.globalAlpha = 1;
      pen.fillStyle = paper;
      pen.fillRect(LEFT + at * column, step * ROW, column, ROW - 1);
      pen.globalAlpha = Math.min(1, Math.abs(value));
      pen.fillStyle = value < 0 ? high : low;
      pen.fillRect(LEFT + at * column, step * ROW, Math.max(1, column - (column > 5 ? 1 : 0)), ROW - 1);
    });
    pen.globalAlpha = 1;
  });
  pen.textAlign = "center";
  pen.lineWidth = 2;
  order.forEach((unit, at) => {
    if (unit !== view.unit && !view.found.includes(unit)) return;
    pen.strokeStyle = unit === view.unit ? ink : accent;
    pen.strokeRect(LEFT + at * column, 0, column, rows.length * ROW - 1);
  });
  pen.fillStyle = ink;
  pen.fillText(String(view.unit), LEFT + (order.indexOf(view.unit) + 0.5) * column, rows.length * ROW + 14);
  pen.strokeStyle = ink;
  pen.lineWidth = 1;
  pen.strokeRect(LEFT, view.step * ROW, width - LEFT - 1, ROW - 1);
}
