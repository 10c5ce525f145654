"""How quick the live view is: opening it, a keystroke, a tally.

    python scripts/benchmarks/explorer.py runs/she-her/lstm runs/she-her/gru

Writes the page of the runs to a file, opens it in headless Chromium and prints milliseconds:

- `open`: from asking for the file until everything is drawn (goal: 1500);
- `12 words`, `40 words`: from a keystroke at the end of a text until everything is redrawn, layout
  included, with a twin and something held (goals: 50, 150; median and the slowest of ten);
- `first word`: the same where the first of 40 words changes, so that nothing is left of the run
  before;
- `tally`: 60 held-out sentences with a change and without (goal: 1000);

and the size of the page. Needs Playwright, and Chromium on the path.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

# Types into the text field and waits until the tiles show what was typed.
TYPE = """async ([texts]) => {
  const field = document.querySelector("#tgx-text"), times = [];
  for (const text of texts) {
    const words = text.split(" ");
    const isDrawn = () => {
      const tiles = document.querySelectorAll(".tile");
      return tiles.length === words.length + 1 && tiles[1].textContent.startsWith(words[0])
        && tiles[words.length].textContent.startsWith(words.at(-1));
    };
    const start = performance.now();
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    while (!isDrawn()) await new Promise((resolve) => setTimeout(resolve, 0));
    document.body.getBoundingClientRect();
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return times;
}"""
TALLY = """(hold) => {
  const start = performance.now();
  const { layers } = textgate.describe(textgate.models[0]);
  const { name, keeping } = layers.at(-1);
  const edit = { intervention: "Clamp", layer: name, signal: keeping, units: [0, 1], value: 0 };
  const pairs = textgate.data.pairs.slice(0, 60);
  textgate.tally({ model: textgate.models[0], pairs, edits: [edit] });
  return performance.now() - start;
}"""
SENTENCE = "She came out and played with the dog because she liked it"
LAST = ("a", "an", "and", "the", "her", "his", "it", "they", "out", "in")
FIRST = ("He", "They", "It", "We", "Mary", "John", "Nobody", "Everybody", "People", "Dogs")


def main() -> None:
    """Measure, and print a line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    arguments = parser.parse_args()
    import textgate as tg

    with tempfile.TemporaryDirectory() as folder:
        path = tg.explore(arguments.runs).save(Path(folder) / "explorer.html")
        print(f"size        {path.stat().st_size / 1e6:.1f} MB")
        measure(path)


def measure(path: Path) -> None:
    """Open a page and measure it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        start = time.perf_counter()
        page.goto(path.as_uri())
        page.wait_for_selector(".tgx:not([aria-busy])")
        print(f"open        {1000 * (time.perf_counter() - start):.0f} ms")
        page.click("[data-panel=hold] .presets button >> nth=0")
        twelve = SENTENCE.split()
        forty = (twelve * 4)[:40]
        for name, words in (("12 words", twelve), ("40 words", forty)):
            show(name, page, [" ".join([*words[:-1], last]) for last in LAST])
        show("first word", page, [" ".join([first, *forty[1:]]) for first in FIRST])
        print(f"tally       {page.evaluate(TALLY):.0f} ms")
        browser.close()


def show(name: str, page: Any, texts: list[str]) -> None:
    """Type texts one after the other, and print how long each took to be there."""
    times = page.evaluate(TYPE, [texts])
    print(f"{name:<11} {statistics.median(times):.0f} ms, at most {max(times):.0f}")


if __name__ == "__main__":
    main()
