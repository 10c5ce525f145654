// The page's beginning: it builds what one sees into an element, and keeps it up to date.

/** @import {Data} from "./types.js" */

/**
 * Builds the explorer into an element.
 *
 * @param {HTMLElement} root  empty or not; its content is replaced
 * @param {object} textgate  the engine: `window.textgate`
 * @param {Data} data
 */
export async function start(root, textgate, data) {
  root.replaceChildren();
  root.removeAttribute("aria-busy");
}
