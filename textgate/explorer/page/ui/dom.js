// Elements and numbers: the few functions that everything on the page is drawn with.
//
// Text, names and labels become text nodes and attributes, never markup, so that nothing in them
// runs.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an HTML element: `make("button", {class: "tile", onclick: f}, "She")`.
 *
 * @param {string} tag
 * @param {Object<string, any>} [attributes]  functions are listeners; `null` and `false` are left out
 * @param {...(Node | string | number | null | undefined)} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  return /** @type {HTMLElement} */ (filled(document.createElement(tag), attributes, children));
}

/** Makes an SVG element, as `make` does. @returns {SVGElement} */
export function draw(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined).map(asNode));
  return element;
}

const asNode = (child) => (child instanceof Node ? child : document.createTextNode(String(child)));

/**
 * Replaces what an element holds, and keeps the focus on the child with the same `data-key`.
 *
 * @param {Element} element
 * @param {(Node | string | null)[]} children
 */
export function refill(element, children) {
  const active = document.activeElement;
  const key = active && element.contains(active) ? active.getAttribute("data-key") : null;
  element.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
  if (key === null) return;
  for (const child of element.querySelectorAll("[data-key]")) {
    if (child.getAttribute("data-key") === key) return void (/** @type {any} */ (child).focus());
  }
}

/** Makes a labelled `select`. @returns {HTMLSelectElement} */
export function chooser(label, options, chosen, onchange, attributes = {}) {
  const select = make("select", {
    "aria-label": label, "data-key": label,
    onchange: (event) => onchange(event.target.value), ...attributes,
  });
  for (const { value, text, disabled } of options) {
    select.append(make("option", { value, disabled, selected: String(value) === String(chosen) }, text));
  }
  return /** @type {HTMLSelectElement} */ (select);
}

/** A number with a true minus: "−0.97". */
export function number(value, digits = 2) {
  if (!Number.isFinite(value)) return "–";
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** A probability as a percentage: "93 %", "0.4 %", "< 0.1 %"; what is no probability as a number. */
export function percent(share) {
  if (!(share >= 0 && share <= 1)) return number(share);
  const value = 100 * share;
  if (value < 0.1) return value === 0 ? "0 %" : "< 0.1 %";
  return `${value.toFixed(value < 9.95 || (value > 99 && value < 99.95) ? 1 : 0)} %`;
}

/** A token as it is shown: the beginning of a sentence is no word. */
export const shown = (token) => (token === "<bos>" ? "start" : token);

/** "a, b and c" */
export function listed(parts) {
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts[parts.length - 1]}`;
}

/** "unit 35", "units 3, 17 and 40" */
export const unitsOf = (units) => (units.length === 1 ? "unit " : "units ") + listed(units);

/** A signal's name as words, with its letter: "forget gate f". */
export const named = (signal) => `${signal.name.replace(/_/g, " ")} ${signal.symbol}`.trim();

/** A range of numbers: `range(3)` is [0, 1, 2]. */
export const range = (count) => Array.from({ length: count }, (_, at) => at);
