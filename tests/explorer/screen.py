"""The explorer in a real browser, of a model in which one knows which unit holds what."""

import json

import textgate as tg
from tests.unit_search.planted import MEN, WOMEN, pairs, planted

UNIT, UNITS = 5, 8
HOSTILE = "</script><img src=x onerror=alert(1)>\u2028\u202e"


def explorer_of(*kinds):
    """The explorer of planted models, whose unit 5 holds gender, with a little of everything."""
    models = {kind: planted(kind, UNITS, {UNIT: 1.0}) for kind in kinds}
    table = pairs(copies=1)
    table["prefix"] = [" ".join(good.split()[:2]) for good in table["good"]]
    names = [f"{name} verb{at % 7}" for at, name in enumerate([*WOMEN[:9], *MEN[:9]])]
    explorer = tg.explore(models, pairs=table, corpus=[f"{text} dog" for text in names])
    counterparts = dict(zip([*WOMEN, *MEN], [*MEN, *WOMEN], strict=True))
    classes = {**dict.fromkeys([*WOMEN, "her"], "f"), **dict.fromkeys([*MEN, "his"], "m")}
    explorer.data["lexicon"] = {
        "twins": counterparts,
        "groups": [{"name": f"women {HOSTILE}", "words": [*WOMEN[:3], HOSTILE]}],
        "classes": classes,
    }
    for kind in kinds:
        explorer.data["findings"][kind] = {
            "feature": "gender",
            "layer": kind,
            "signal": "cell_state",
            "units": [UNIT],
        }
    for pair in explorer.data["pairs"]:
        pair["group"] = "gender"
    return explorer


class Screen:
    """The page as a reader has it, with what it asked for and what it complained about."""

    def __init__(self, browser, path, width=1280, scheme="light", **options):
        self.requests, self.errors, self.dialogs = [], [], []
        self.address = path.as_uri()
        size = {"width": width, "height": 800}
        self.context = browser.new_context(viewport=size, color_scheme=scheme, **options)
        self.page = self.context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("dialog", self._dialog)
        self.open()

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _dialog(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def open(self, fragment=""):
        """Open the page anew, as a link does."""
        self.page.goto("about:blank")
        self.page.goto(self.address + fragment)
        self.until(".tgx:not([aria-busy])")

    def write(self, text):
        """Write a text, and wait until the words are there."""
        self.page.fill("#tgx-text", text)
        self.until(f".tiles li:nth-child({len(text.split()) + 1}):last-child")

    def until(self, selector, state="attached"):
        """Wait until something is there. (The page's policy lets nobody evaluate strings.)"""
        self.page.wait_for_selector(selector, state=state)

    def press(self, name):
        """Press a button by what stands on it."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def shares(self, word):
        """What stands for a word in each column: this text, its twin, as held."""
        row = self.page.locator("table.next tbody tr").filter(has_text=word).first
        return row.locator(".chance").all_inner_texts()

    def columns(self):
        return self.page.locator("table.next thead th").all_inner_texts()[1:]

    def text(self, selector):
        return self.page.inner_text(selector)

    def value(self, selector):
        return self.page.input_value(selector)

    def fragment(self):
        return self.page.evaluate("location.hash")

    def run(self, **query):
        """What scripts get from `window.textgate.run`."""
        return self.page.evaluate(f"textgate.run({json.dumps(query)})")
