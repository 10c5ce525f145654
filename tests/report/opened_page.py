"""A page in a real browser, for tests of what a reader sees and does."""

from pathlib import Path


class OpenedPage:
    """A page, with what it asked for and what it complained about."""

    def __init__(self, browser, path: Path, width: int) -> None:
        self.requests, self.errors, self.dialogs = [], [], []
        # Requests would be seen here before they fail.
        self.context = browser.new_context(viewport={"width": width, "height": 800})
        self.page = self.context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("dialog", self._dialog)
        self.page.goto(path.as_uri())
        self.page.evaluate("textgate.drawAll()")

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _dialog(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def text(self, selector="body"):
        return self.page.inner_text(selector)

    def map(self):
        return self.page.evaluate("document.getElementById('gate-map').data[0].z")

    def curves(self):
        return self.page.evaluate("document.getElementById('gate-curve').data.map((d) => d.y)")

    def choose(self, what, value):
        self.page.select_option(f"#gate-{what}", value=str(value))
