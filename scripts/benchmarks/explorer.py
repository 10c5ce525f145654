"""How large the explorer's page is, and how quick, in headless Chromium.

    python scripts/benchmarks/explorer.py                                # the shipped study models
    python scripts/benchmarks/explorer.py saved_models/novels            # other models, in one page

Prints, for the first model of the page:

- the size of the page, and the time from opening the file until it shows itself;
- `run` for a text of 12 and of 40 words whose first word is new (so that nothing is remembered),
  with a word appended, and with a gate held from the middle on: the engine alone;
- the time from a keystroke until everything is redrawn, for 12 and for 40 words;
- a tally of 60 sentences, and the first and the second search of the corpus.

Each figure is the median over several calls, in milliseconds. Needs Playwright and Chromium.
"""

import argparse
import pathlib
import shutil
import statistics
import tempfile
import time
from typing import Any

from playwright.sync_api import Page, sync_playwright

import textgate as tg

TEXT = "When the old doctor came out of the house she lost her way and asked the girl "
FIRST = ["She", "He", "It", "They", "The", "A", "No", "One", "Every"]
CALLS = len(FIRST)
# Median milliseconds of a call of a function that is told which call it is.
MEDIAN = """async ([source, calls]) => {
    const call = eval(source), times = [];
    for (let number = 0; number < calls; number++) {
        const start = performance.now();
        await call(number);
        times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[calls >> 1];
}"""


# Median milliseconds from an input to the last change that follows within a while.
REDRAWN = """async ([calls, patience]) => {
    const field = document.getElementById("tgx-text");
    const root = document.getElementById("textgate-explorer");
    const what = { subtree: true, childList: true, attributes: true, characterData: true };
    const times = [];
    for (let number = 0; number < calls; number++) {
        const start = performance.now();
        let last = start;
        const changes = new MutationObserver(() => { last = performance.now(); });
        changes.observe(root, what);
        field.value += number ? "a" : " d";
        field.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((done) => setTimeout(done, patience));
        changes.disconnect();
        times.push(last - start);
    }
    return times.sort((a, b) => a - b)[calls >> 1];
}"""


def text_of(words: int) -> str:
    """Return a text of so many words."""
    return " ".join((TEXT * 3).split()[:words])


def engine(page: Page, layer: dict[str, Any]) -> dict[str, float]:
    """Return how long the engine takes for each kind of question."""
    gate = layer["keeping"] or layer["memory"]
    place = f"layer: '{layer['name']}', signal: '{gate}'"

    def median(call: str, calls: int = CALLS) -> float:
        return float(page.evaluate(MEDIAN, [call, calls]))

    times = {}
    for words in (12, 40):
        text = text_of(words)
        held = (
            f"[{{intervention: 'Clamp', {place}, value: n / 10, "
            f"steps: {{slice: [{words // 2}, null, null]}}}}]"
        )
        for name, call in {
            "all new": f"{{text: {FIRST}[n] + ' {text}'}}",
            "a word more": f"{{text: '{text}' + ' her'.repeat(n)}}",
            "held from the middle": f"{{text: '{text}', edits: {held}}}",
        }.items():
            # What comes next is computed where it is looked at: here at every word.
            looked = f"n => textgate.run({call}).next.forEach((words) => words.length)"
            times[f"run, {words} words, {name}"] = median(looked)
    tally = (
        f"n => textgate.tally({{pairs, edits: [{{intervention: 'Clamp', {place}, value: n / 9}}]}})"
    )
    pairs = "const pairs = textgate.data.pairs.slice(0, 60); "
    times["tally of 60 sentences"] = median(f"(() => {{ {pairs} return {tally}; }})()")
    search = f"() => textgate.highest({{{place}}})"
    times["the first search"] = median(search, 1)
    times["the next search"] = median(search)
    return times


def keystroke(page: Page, words: int) -> float:
    """Return the time from a letter typed until the last change on the page, in milliseconds."""
    page.locator("#tgx-text").fill(text_of(words))
    page.wait_for_timeout(1500)
    return float(page.evaluate(REDRAWN, [5, 700]))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="*", default=["saved_models/lstm", "saved_models/gru"])
    models = parser.parse_args().models
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = tg.explore(models).save(pathlib.Path(folder) / "page.html")
        print(f"page of {', '.join(models)}: {file.stat().st_size / 1e6:.2f} MB")
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        times: dict[str, float] = {}
        opened = []
        for _ in range(3):
            page = browser.new_page()
            start = time.perf_counter()
            page.goto(file.as_uri())
            page.wait_for_selector("#textgate-explorer:not([aria-busy])")
            opened.append(1000 * (time.perf_counter() - start))
        times["from opening until it is there"] = statistics.median(opened)
        for words in (12, 40):
            times[f"a keystroke, {words} words"] = keystroke(page, words)
        page.close()
        page = browser.new_context(bypass_csp=True).new_page()
        page.goto(file.as_uri())
        page.wait_for_selector("#textgate-explorer:not([aria-busy])")
        times |= engine(page, page.evaluate("textgate.describe()")["layers"][-1])
        browser.close()
    for name, milliseconds in times.items():
        print(f"{name:<36}{milliseconds:9.1f} ms")


if __name__ == "__main__":
    main()
