// What is on the screen as Python that does the same with textgate.

import { editsOf } from "./edits.js";

/** @import {View} from "./view.js" */

// JSON's strings are Python's.
const text = (value) => JSON.stringify(value);

/**
 * @param {View} view
 * @returns {string}
 */
export function pythonOf(view) {
  const { layer, description, twinText, aligned } = view;
  const edits = view.state.on ? editsOf(view.state.holds, view) : [];
  const lines = [
    "import textgate as tg",
    "",
    `lm = tg.load(${text(description.path ?? "path/of/the/model")})`,
    `text = ${text(view.text)}`,
    ...(twinText ? [`twin = ${text(twinText)}`] : []),
    "",
    "print(lm.next_words(text))",
    ...(twinText ? ["print(lm.next_words(twin))"] : []),
    "",
    `trace = tg.trace(lm, [text${twinText ? ", twin" : ""}])`,
    `node = trace[${text(layer.name)}].to_dataset()`,
    `print(node[${text(layer.memory)}].sel(unit=${view.unit}))`,
    ...(layer.keeping && aligned ? [`tg.plots.twins(node, unit=${view.unit}).savefig("unit-${view.unit}.png")`] : []),
  ];
  if (edits.length) {
    lines.push(
      "",
      ...(edits.some(({ source }) => source) ? ["donor = tg.trace(lm, [twin])"] : []),
      "edited = tg.intervene(lm, [",
      ...edits.map((edit) => `    ${interventionOf(edit)},`),
      "])",
      "print(edited.next_words(text))");
  }
  return `${lines.join("\n")}\n`;
}

function interventionOf({ intervention, layer, signal, units, steps, value }) {
  const parts = [text(layer), text(signal)];
  if (units) parts.push(`units=[${units.join(", ")}]`);
  parts.push(intervention === "Patch" ? "source=donor" : `value=${value}`);
  if (steps) parts.push(`steps=slice(${steps.slice[0] ?? "None"}, ${steps.slice[1] ?? "None"})`);
  return `tg.${intervention}(${parts.join(", ")})`;
}
