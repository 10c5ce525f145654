"""The page in a real browser: no network, no errors, a gate view that answers, room on a phone."""

import pytest

from textgate.report import write

from . import made_up
from .opened_page import OpenedPage

pytestmark = [
    pytest.mark.tensorflow_only,
    # Playwright's own event loop, at its end.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    found = made_up.findings(made_up.model("lstm"), made_up.model("gru", "neither"))
    return write(found, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def desk(browser, page_file):
    opened = OpenedPage(browser, page_file, 1200)
    yield opened
    opened.context.close()


def test_it_opens_without_an_error_or_a_request(desk, page_file):
    assert desk.requests == [page_file.as_uri()]
    assert desk.errors == []
    drawn = desk.page.evaluate("document.querySelectorAll('.plot .main-svg').length")
    assert drawn >= desk.page.evaluate("document.querySelectorAll('.plot').length") > 10


def test_what_happens_on_the_network_would_be_seen(browser, tmp_path):
    file = tmp_path / "asking.html"
    file.write_text(
        "<script>textgate = {drawAll() {}}</script><img src='http://localhost:9/x.png'>"
    )
    opened = OpenedPage(browser, file, 400)
    opened.page.wait_for_timeout(100)
    assert any("localhost:9" in url for url in opened.requests)
    opened.context.close()


def test_the_map_shows_the_traced_values(desk):
    """Cell by cell what is in the trace, to the rounding of the packed numbers."""
    traces = made_up.traced("lstm")[1]
    node = next(iter(traces.leaves)).to_dataset()
    for signal in ("cell_state", "forget_gate"):
        for sentence, side in ((0, 0), (1, 1)):
            desk.choose("sentence", sentence)
            desk.choose("side", side)
            names = [s["name"] for s in desk.page.evaluate("textgate.gates.data.layers[0].signals")]
            desk.choose("signal", names.index(signal))
            order = desk.page.evaluate("textgate.gateOrder")
            example = sentence + side * len(made_up.SENTENCES)
            kept = node.isel(example=example)
            kept = kept[signal].values[kept["mask"].values]
            shown = desk.map()
            assert len(shown) == len(kept)
            largest = float(abs(node[signal].values[node["mask"].values]).max())
            off = 0.5 / 255 if signal == "forget_gate" else largest / 32767
            for row, values in zip(shown, kept, strict=True):
                assert row == pytest.approx([float(values[unit]) for unit in order], abs=1.01 * off)


def test_the_gate_view_changes_with_sentence_signal_and_unit(desk):
    for what in ("layer", "sentence", "side", "signal"):
        desk.choose(what, 0)
    desk.choose("unit", 3)
    first = desk.map(), desk.curves(), desk.text("#gate-says")
    desk.choose("unit", 5)
    assert desk.map() == first[0]
    assert desk.curves() != first[1]
    desk.choose("unit", 3)
    assert desk.curves() == first[1]
    desk.choose("signal", 1)
    assert desk.map() != first[0]
    assert desk.curves() != first[1]
    desk.choose("signal", 0)
    desk.choose("sentence", 1)
    assert len(desk.map()) == 6  # (start), The, girl, hurt, herself, .
    assert "herself" in desk.text("#gate-says")
    desk.choose("sentence", 0)
    assert (desk.map(), desk.curves(), desk.text("#gate-says")) == first
    desk.choose("layer", 1)
    assert desk.map() != first[0]
    desk.choose("layer", 0)


def test_a_tap_chooses_the_unit_and_hovering_tells_the_value(desk):
    desk.choose("unit", 3)
    area = desk.page.locator("#gate-map .nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    place = {"x": box["width"] * 0.9, "y": box["height"] * 0.5}
    area.hover(position=place)
    told = desk.page.locator("#gate-map .hovertext")
    told.wait_for()
    assert "unit" in told.text_content()
    area.click(position=place)
    last = desk.page.evaluate("textgate.gateOrder.at(-1)")
    assert desk.page.evaluate("textgate.gates.state.unit") == last
    assert desk.page.input_value("#gate-unit") == str(last)


def test_the_units_found_are_marked(desk):
    desk.choose("layer", 0)
    ticks = desk.page.evaluate("document.getElementById('gate-map').layout.xaxis.ticktext")
    assert ticks[:2] == ["★3", "★5"]
    assert not any("★" in tick for tick in ticks[2:])
    desk.choose("layer", 1)  # no unit was found in it
    ticks = desk.page.evaluate("document.getElementById('gate-map').layout.xaxis.ticktext")
    assert not any("★" in tick for tick in ticks)
    desk.choose("layer", 0)


def test_markup_in_sentences_is_text(desk):
    desk.choose("sentence", 2)
    assert desk.dialogs == []
    assert "<script>alert(1)</script>" in desk.page.evaluate(
        "document.querySelector('#gate-sentence option:checked').textContent"
    )
    rows = desk.page.locator("#gate-map .ytick").all_text_contents()
    assert "<" in rows
    assert "script" in rows
    # Words from tables, too.
    assert "“<b>” (0.90)" in desk.text("#answers")
    assert desk.page.evaluate("document.querySelectorAll('main script:not([type])').length") == 0
    desk.choose("sentence", 0)


@pytest.mark.parametrize("width", [375, 320])
def test_it_fits_a_phone(browser, page_file, width):
    opened = OpenedPage(browser, page_file, width)
    opened.page.wait_for_timeout(50)
    for _ in range(2):
        wide = opened.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        opened.choose("sentence", 2)  # the longest
        opened.page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert opened.errors == []
    opened.context.close()


def test_it_prints_on_paper(browser, page_file, desk):
    made = desk.page.pdf(format="A4")
    assert made[:4] == b"%PDF"
    assert desk.errors == []
