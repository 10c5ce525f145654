// What a page begins with: `window.textgate` answers from here on, and the page shows what it says.

import { start } from "../ui/main.js";
import { dataOf, providerOf } from "./provider.js";

async function begin() {
  const data = dataOf(document);
  const provider = await providerOf(data);
  /** @type {any} */ (window).textgate = provider;
  const root = document.getElementById("textgate-explorer");
  if (root) await start(root, provider, data);
}

begin();
