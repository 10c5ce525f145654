// Sharing: the link, pictures, the Python that does the same, a frame to embed, and what to hide.

import { make, refill } from "./dom.js";
import { pictureOf, pngOf, save, svgOf } from "./picture.js";
import { pythonOf } from "./python.js";
import { toFragment } from "./state.js";

/** @import {View} from "./view.js" */

const PARTS = {
  tours: "tours", text: "text", memory: "memory", equation: "equation", next: "next words", hold: "hold panel", tally: "tally", where: "where else", share: "sharing",
};

/** @param {(change: object, manner?: string) => void} act @param {HTMLElement} root */
export function sharePanel(act, root) {
  /** @type {View | null} */
  let view = null;
  const status = make("span", { class: "note", role: "status" });
  const code = /** @type {HTMLTextAreaElement} */ (make("textarea", { readonly: true, rows: 12, spellcheck: "false", "aria-label": "What was copied", hidden: true }));
  const hiding = make("div", { class: "hiding", role: "group", "aria-label": "Parts to hide, for a class" });
  const button = (text, onclick) => make("button", { type: "button", class: "action", onclick }, text);
  const isFrame = window.location.href.startsWith("about:");
  const linkTo = (state) => `${window.location.href.split("#")[0]}#${toFragment(state)}`;
  const element = make("details", { class: "share", "data-panel": "share" },
    make("summary", {}, "Share"),
    make("div", { class: "share-body" },
      make("div", { class: "presets" },
        button("copy the link", () => copy(linkTo(view.state), isFrame ? "This view has no address of its own. Save it as a page, and its links will open." : "The link is copied: it opens the page as it is now.")),
        button("copy the Python", () => copy(pythonOf(view), "Copied: Python that does the same.", true)),
        button("save as SVG", () => save("textgate.svg", svgOf(pictureOf(view, root)))),
        button("save as PNG", async () => save("textgate.png", await pngOf(pictureOf(view, root)))),
        button("copy a frame to embed", () => copy(frameOf(linkTo({ ...view.state, embed: true })), "Copied: HTML for a page or a slide.", true))),
      status, code,
      make("p", { class: "note" }, "For a class, hide what shouldn’t be seen yet; the link keeps it."), hiding));

  const close = (event) => {
    if (event.type === "keydown" ? event.key === "Escape" : !element.contains(event.target)) /** @type {any} */ (element).open = false;
  };
  document.addEventListener("pointerdown", close);
  element.addEventListener("keydown", close);

  async function copy(text, says, visible = false) {
    code.hidden = !visible;
    code.value = text;
    try {
      await navigator.clipboard.writeText(text);
      status.textContent = says;
    } catch {
      // Where the page may not write to the clipboard, the reader can.
      code.hidden = false;
      code.select();
      status.textContent = "Press Ctrl+C to copy.";
    }
  }

  /** @param {View} next */
  function update(next) {
    view = next;
    const { hide } = view.state;
    refill(hiding, Object.entries(PARTS).map(([part, name]) => make("label", {},
      make("input", {
        type: "checkbox", "data-key": `hide ${part}`, checked: hide.includes(part),
        onchange: (event) => act({ hide: event.target.checked ? [...hide, part] : hide.filter((one) => one !== part) }),
      }), ` ${name}`)));
  }
  return { element, update };
}

function frameOf(address) {
  const escaped = address.replace(/&/g, "&amp;").replace(/"/g, "&quot;");
  return `<iframe src="${escaped}" width="100%" height="900" style="border: 0" title="textgate"></iframe>`;
}
