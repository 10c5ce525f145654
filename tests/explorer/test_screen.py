"""What a reader sees and does: text, next words, memory, holds, tally, tours, sharing."""

import numpy as np
import pytest

import textgate as tg
from tests.explorer.screen import HOSTILE, UNIT, Screen, explorer_of
from tests.unit_search.planted import planted

pytestmark = pytest.mark.tensorflow_only

TEXT, TWIN = "woman3 verb0", "man3 verb0"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return explorer_of("lstm", "gru").save(tmp_path_factory.mktemp("explorer") / "page.html")


@pytest.fixture(scope="module")
def opened(browser, path):
    screen = Screen(browser, path)
    yield screen
    assert not screen.errors
    screen.context.close()


@pytest.fixture
def screen(opened):
    opened.open()
    opened.write(TEXT)
    return opened


def test_it_opens_from_a_file_asks_for_nothing_and_complains_of_nothing(screen):
    asked = [url for url in screen.requests if not url.startswith(("file:", "data:", "about:"))]
    assert not asked
    assert not screen.errors
    assert screen.value("#tgx-twin") == TWIN
    assert screen.columns() == ["this text", "its twin"]


def test_what_the_bars_say_is_what_the_model_says(screen):
    lm = planted("lstm", 8, {UNIT: 1.0})
    chances = np.exp(lm.next_logprobs([TEXT]))[0, lm.tokenizer.tokens_to_ids(["her", "his"])]
    for word, chance in zip(["her", "his"], chances, strict=True):
        assert float(screen.shares(word)[0].rstrip(" %")) == pytest.approx(100 * chance, abs=0.6)


def test_typing_changes_the_bars_and_the_twin(screen):
    before = screen.shares("her")
    screen.write("man4 verb1")
    assert screen.value("#tgx-twin") == "woman4 verb1"
    assert screen.shares("her") != before
    screen.write("nobody verb1")  # who has no counterpart
    assert screen.value("#tgx-twin") == ""
    assert screen.columns() == ["this text"]
    assert "doesn’t know “nobody”" in screen.text(".texts")


def test_a_word_clicked_is_written_and_a_tile_is_exchanged(screen):
    screen.page.click("table.next .word:text-is('her')")
    assert screen.value("#tgx-text") == f"{TEXT} her"
    screen.page.click(".tile >> nth=1")
    screen.page.click("[role=menuitem]:text-is('man3')")
    assert screen.value("#tgx-text") == "man3 verb0 her"


def test_nothing_kept_nothing_known(screen):
    screen.press("never keep (f = 0)")
    screen.until("th.held")
    own, _, held = screen.shares("her")
    assert held == screen.shares("his")[2] != own


def test_the_twins_memory_flips_the_answer_and_random_units_do_not(screen):
    screen.press("take these from the twin")
    screen.until("th.held")
    for word in ("her", "his"):
        own, twin, held = screen.shares(word)
        assert held == twin != own
    screen.until("[data-panel=tally] .note:has-text('random units flips')")
    assert "flips 64 of 64" in screen.text("[data-panel=tally]")
    assert "random units flips 0 of 64" in screen.text("[data-panel=tally]")


def test_where_the_model_is_wrong_it_says_so(screen):
    assert "wrong" not in screen.text("[data-panel=next]")
    screen.page.fill("#tgx-twin", "man5 verb0")
    screen.press("take these from the twin")
    screen.until("th.held")
    assert "“his”" in screen.text("[data-panel=next] .wrong")
    assert "“woman3”" in screen.text("[data-panel=next] .wrong")


def test_the_equation_has_the_numbers_of_the_trace(screen):
    screen.page.click(".tile >> nth=1")
    node = tg.trace(planted("lstm", 8, {UNIT: 1.0}), [TEXT])["lstm"].to_dataset()
    at = node.isel(example=0, time=1).sel(unit=UNIT)
    shown = screen.page.locator(".formula .figure").all_inner_texts()
    names = ["cell_state", "forget_gate", None, "input_gate", "candidate"]
    for text, name in zip(shown, names, strict=True):
        if name:
            assert float(text.replace("−", "-")) == pytest.approx(float(at[name]), abs=0.006)
    assert "woman3" in screen.text("table.ledger")


def test_from_lstm_to_gru_word_and_signal_stay(screen):
    screen.page.select_option("[aria-label=Signal]", "forget_gate")
    screen.page.click(".tile >> nth=1")
    screen.page.select_option("[aria-label=Model]", "gru")
    screen.until("h2:text('GRU')")
    assert screen.value("[aria-label=Signal]") == "update_gate"
    assert screen.page.get_attribute(".tile >> nth=1", "aria-pressed") == "true"
    assert "r = 0, all units" in screen.text("[data-panel=hold]")
    screen.page.select_option("[aria-label=Model]", "lstm")
    screen.until("h2:text('LSTM')")
    assert screen.value("[aria-label=Signal]") == "forget_gate"


def test_a_link_brings_back_what_was_there_and_so_does_the_back_button(screen):
    screen.page.click(".tile >> nth=1")
    screen.press("never keep (f = 0)")
    screen.page.click("text=all 8 units")
    screen.until("canvas")
    fragment, shares = screen.fragment(), screen.shares("her")
    screen.open(fragment)
    assert screen.shares("her") == shares
    assert screen.value("#tgx-text") == TEXT
    assert screen.page.locator("canvas").count() == 1
    screen.press("let go")
    screen.until("th.held", "detached")
    screen.page.go_back()
    screen.until("th.held")
    assert screen.fragment() == fragment


@pytest.mark.parametrize(
    "fragment", ["#hold=~~~", "#step=x&unit=99999&layer=no", "#hold=f~a~b", "#%"]
)
def test_a_broken_link_is_a_page_all_the_same(screen, fragment):
    screen.open(fragment)
    assert screen.shares("her")


def test_parts_can_be_hidden_for_a_class(screen):
    screen.open("#hide=hold.tally,tours&embed=1")
    for part in ("hold", "tally", "tours"):
        assert not screen.page.is_visible(f"[data-panel={part}]")
    assert screen.page.is_visible("[data-panel=next]")
    assert not screen.page.is_visible("h1")


def test_hostile_text_is_text(screen):
    screen.page.fill("#tgx-text", f"{TEXT} {HOSTILE}")
    screen.until(".tile.unknown")
    screen.page.click(".tile >> nth=1")
    assert HOSTILE[:9] in screen.text(".menu")
    screen.page.keyboard.press("Escape")
    for part in ("text", "model", "layer", "signal", "tour", "hide", "hold"):
        screen.open(f"#{part}={HOSTILE}~found~all~0")
    assert screen.page.locator("img").count() == 0
    assert not screen.dialogs
    assert not screen.errors


def test_all_of_it_goes_by_keyboard(screen):
    keys = screen.page.keyboard
    screen.page.focus("#tgx-text")
    keys.press("End")
    keys.type(" her")
    screen.until(".tile >> nth=3")
    screen.page.focus(".tile >> nth=1")
    keys.press("Enter")
    keys.press("End")
    keys.press("Home")
    keys.press("Enter")
    assert screen.value("#tgx-text") == "man3 verb0 her"
    assert screen.page.evaluate("document.activeElement.className").startswith("tile")
    screen.page.focus("[role=slider].strip-frame")
    keys.press("End")
    keys.press("ArrowLeft")
    screen.until(".tile[aria-pressed=true]:text('verb0')")
    slider = "[role=slider].strip-frame"
    assert "“verb0”" in screen.page.get_attribute(slider, "aria-valuetext")
    assert screen.page.evaluate("document.activeElement.getAttribute('role')") == "slider"
    screen.page.focus("text=never keep (f = 0)")
    keys.press("Space")
    screen.until("th.held")
    screen.page.focus("input[type=range]")
    keys.press("End")
    screen.until("output.value:text('1.00')")
    assert screen.page.evaluate("document.activeElement.type") == "range"


@pytest.mark.parametrize("tour", range(3))
def test_a_tour_asks_first_and_answers_with_the_models_numbers(screen, tour):
    screen.page.locator(".tour-start .action").nth(tour).click()
    for stop in range(5):
        screen.until(f".tour .note:text('{stop + 1} of 5')")
        assert not screen.page.locator(".tour .answer").inner_text()
        screen.page.locator(".tour .toggle").first.click()
        screen.until(".tour .answer:not(:empty)")
        assert screen.page.locator(".tour .correct").count() == 1
        answer = screen.text(".tour .answer")
        assert any(character.isdigit() for character in answer)
        assert "NaN" not in answer
        assert "undefined" not in answer
        screen.page.click("[data-key=onward]")
    assert not screen.page.is_visible(".tour")


def test_the_python_it_offers_does_the_same(browser, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    planted("lstm", 8, {UNIT: 1.0}).save("lstm.keras")
    explorer = explorer_of("lstm")
    explorer.data["models"][0]["path"] = "lstm.keras"
    screen = Screen(browser, explorer.save(tmp_path / "page.html"))
    screen.open(
        f"#text={TEXT}&unit={UNIT}&hold=cell_state~found~1-~twin&hold=input_gate~3.4~all~0.25"
    )
    screen.page.click("summary:text('Share')")
    screen.press("copy the Python")
    code = screen.page.input_value(".share textarea")
    names = {}
    exec(code, names)
    assert "units=[3, 4], value=0.25" in code
    assert "steps=slice(1, None)" in code
    *_, held = screen.shares("his")
    table = names["edited"].next_words(names["text"]).set_index("word")["probability"]
    assert float(held.rstrip(" %")) == pytest.approx(100 * table["his"], abs=0.6)
    assert (tmp_path / f"unit-{UNIT}.png").exists()
    screen.context.close()


def test_the_picture_is_one_file_with_all_that_is_in_it(screen):
    screen.page.click("summary:text('Share')")
    with screen.page.expect_download() as waiting:
        screen.press("save as SVG")
    picture = waiting.value.path().read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert "http" not in picture.replace("http://www.w3.org", "")
    assert TEXT in picture
    with screen.page.expect_download() as waiting:
        screen.press("save as PNG")
    assert waiting.value.path().read_bytes()[:4] == b"\x89PNG"


def test_a_narrow_page_needs_no_scrolling_sideways(browser, path):
    screen = Screen(browser, path, width=375)
    for fragment in (
        "",
        "#view=all",
        "#hold=forget_gate~random~all~0.5&tour=break",
        "#hold=cell_state~found~all~twin",
    ):
        screen.open(fragment)
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= 375
    screen.context.close()


def test_where_else_finds_what_is_highest_and_a_pattern_of_the_text(screen):
    screen.page.click(".where summary")
    screen.until(".places li")
    women = [
        text for text in screen.page.locator(".places li").all_inner_texts() if "woman" in text
    ]
    assert len(women) == screen.page.locator(".places li").count()
    screen.page.select_option("[aria-label='What to search for']", "lowest")
    screen.until(".places li:first-child:has-text(' man')")
    screen.write("man3 verb0")
    screen.page.select_option("[aria-label='What to search for']", "pattern")
    screen.until(".places .place:has-text('verb')")
    assert "woman" not in screen.text(".places")
    screen.page.click(".places .line >> nth=0")
    assert screen.value("#tgx-text").endswith("dog")
    screen.page.click(".where summary")


# What axe-core calls serious, and the rest of what it finds, is nowhere on the page.
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, path, scheme):
    axe = pytest.importorskip("axe_playwright_python.base", reason="needs axe-playwright-python")
    screen = Screen(browser, path, scheme=scheme, bypass_csp=True)
    screen.page.evaluate(axe.AXE_SCRIPT)
    for clicks in (
        ["summary:text('Share')"],
        [".tile >> nth=1"],
        ["text=never keep (f = 0)", ".where summary", "[data-panel=tally] summary"],
    ):
        for what in clicks:
            screen.page.click(what)
        screen.page.wait_for_timeout(100)
        found = screen.page.evaluate("axe.run(document)")["violations"]
        assert not [(one["id"], one["nodes"][0]["html"]) for one in found]
        screen.page.keyboard.press("Escape")
    screen.context.close()


def test_the_worksheet_asks_and_does_not_answer(screen):
    screen.page.evaluate("window.print = () => {}")
    screen.page.click("[data-key=worksheet]")
    screen.until(".worksheet")
    assert screen.page.locator(".worksheet li").count() == 15
    assert not screen.page.is_visible("#tgx-text")
    screen.press("back to the page")
    assert screen.page.is_visible("#tgx-text")
