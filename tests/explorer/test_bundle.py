"""Modules as one script."""

import pytest

from textgate.explorer._bundle import bundle


def test_modules_stand_after_those_they_import_each_once():
    modules = {
        "ui/main": 'import { a as other } from "textgate/a.js";\n'
        'import {\n  b,\n  c,\n} from "./b.js";\nexport async function main() {}',
        "engine/a": "export const a = 1;\nexport class Also {}",
        "ui/b": 'import { a } from "../engine/a.js";\nexport function* b() {}\nexport let c = 2;',
    }
    script = bundle("ui/main", modules.__getitem__)
    names = ["const $engine_a =", "const $ui_b =", "const $ui_main ="]
    places = [script.index(name) for name in names]
    assert places == sorted(places)
    assert all(script.count(name) == 1 for name in names)
    assert "const { a: other } = $engine_a;" in script
    assert "const { b, c, } = $ui_b;" in script
    assert "return { a, Also };" in script
    assert "import" not in script
    assert "export" not in script


@pytest.mark.parametrize(
    "line",
    [
        'import * as all from "./b.js";',
        'import "./b.js";',
        "export default 1;",
        'export { b } from "./b.js";',
    ],
)
def test_what_it_does_not_know_is_refused(line):
    with pytest.raises(ValueError, match=r"Received: .* in a"):
        bundle("a", {"a": line, "b": ""}.__getitem__)


def test_a_circle_is_refused():
    modules = {"a": 'import { b } from "./b.js";', "b": 'import { a } from "./a.js";'}
    with pytest.raises(ValueError, match="must not import one another"):
        bundle("a", modules.__getitem__)
