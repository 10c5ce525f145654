// The memory as a picture to keep: one SVG with everything in it, or the same as PNG.

import { draw, named, percent, shown } from "./dom.js";
import { strip } from "./strip.js";
import { chancesOf } from "./words.js";

/** @import {View} from "./view.js" */

const WIDTH = 900, LINE = 18;
const COLOURS = ["paper", "ink", "soft", "edge", "own", "other", "held", "choice"];

/** @param {View} view @param {Element} root  whose colours are taken @returns {SVGElement} */
export function pictureOf(view, root) {
  const style = getComputedStyle(root);
  const colour = Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  const strips = view.units.map((unit) => ({ unit, figure: strip(view, unit, WIDTH - 40) }));
  const figure = draw("svg", { xmlns: "http://www.w3.org/2000/svg", "font-family": "Helvetica, Arial, sans-serif" });
  figure.append(draw("style", {}, sheet(colour)), draw("rect", { width: "100%", height: "100%", fill: colour.paper }));
  let y = 14;
  for (const [line, look] of captionOf(view)) figure.append(draw("text", { x: 20, y: (y += LINE), class: `caption ${look}` }, line));
  for (const { unit, figure: one } of strips) {
    y += 14;
    figure.append(draw("text", { x: 20, y: y + 12, class: "caption title" }, `unit ${unit}: ${memoryOf(view)}, and below it ${gateOf(view)}`));
    y += LINE;
    one.setAttribute("x", "20");
    one.setAttribute("y", String(y));
    figure.append(one);
    y += Number(one.getAttribute("height"));
  }
  const height = Math.ceil(y + 14);
  for (const [name, value] of Object.entries({ width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}` })) figure.setAttribute(name, String(value));
  return figure;
}

const signalOf = (view, name) => view.layer.signals.find((signal) => signal.name === name);
const memoryOf = (view) => named(signalOf(view, view.layer.memory));
const gateOf = (view) => named(signalOf(view, view.signal));

function captionOf(view) {
  const says = (mark, name, text, run) => {
    const step = Math.min(view.step, run.tokens.length - 1);
    const best = [...chancesOf(run, step)].filter(([word]) => !word.startsWith("<")).sort((a, b) => b[1] - a[1]).slice(0, 3);
    return `${mark} ${name}: “${text}”. After “${shown(run.tokens[step])}”: ${best.map(([word, chance]) => `${word} ${percent(chance)}`).join(", ")}`;
  };
  const lines = [[says("●", "this text", view.text, view.own), "own"]];
  if (view.twin) lines.push([says("■", "its twin", view.twinText, view.twin), "other"]);
  if (view.edited) lines.push([says("▲", "as held", view.text, view.edited), "held"]);
  return lines;
}

/** The rules of the style sheet that the strip needs, with the colours of now. */
function sheet(colour) {
  const looks = ["own", "other", "held"].flatMap((look) => [
    `.curve.${look}{stroke:${colour[look]}}`, `.bar.${look},.dot.${look}{fill:${colour[look]}}`, `.caption.${look}{fill:${colour[look]}}`]);
  return [
    `text{font-size:12px;fill:${colour.ink}}`, `.caption{font-size:13px}`, `.title{font-weight:700}`, `.tick{fill:${colour.soft};font-size:11px}`,
    `.chosen{fill:${colour.choice}}`, `.zero{stroke:${colour.edge}}`, `.curve{fill:none;stroke-width:2.25}`, `.chosen-label{font-weight:700}`, ...looks,
  ].join("");
}

/** Offers a file to be saved. */
export function save(name, blob) {
  const link = document.createElement("a");
  link.download = name;
  link.href = URL.createObjectURL(blob);
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** @param {SVGElement} figure @returns {Blob} */
export function svgOf(figure) {
  return new Blob([new XMLSerializer().serializeToString(figure)], { type: "image/svg+xml" });
}

/** @param {SVGElement} figure @returns {Promise<Blob>} of twice the size, for slides */
export async function pngOf(figure) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await svgOf(figure).text())}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * Number(figure.getAttribute("width"));
  canvas.height = 2 * Number(figure.getAttribute("height"));
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
}
