"""The browser in which pages are tested, where there is one."""

import shutil

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def browser():
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"needs a browser: none of {', '.join(_NAMES)}")
    api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
