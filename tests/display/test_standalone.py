"""The front end as text and the standalone page: nothing in a scene can become code."""

from __future__ import annotations

import html.parser
import json
from typing import Any

import pytest
from browser.scenes import small_scene

from tapemagic.display.standalone import front_end, standalone_html


@pytest.mark.parametrize(
    "word",
    ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(",
     "fetch(", "XMLHttpRequest", "WebSocket", "import(", "import ", "https:", 'setTimeout("'],
)  # fmt: skip
def test_the_front_end_makes_no_markup_and_loads_nothing(word: str) -> None:
    code = "\n".join(line.partition("//")[0] for line in front_end().splitlines())
    assert word not in code


class Scripts(html.parser.HTMLParser):
    """Collects the text of each script as a browser would see it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside, self.texts = False, [""]
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.inside = tag == "script"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self.inside = False
            self.texts.append("")


def test_standalone_data_cannot_leave_its_script() -> None:
    evil = "</script><script>hurt()</script><!-- --> ]]> \u2028\u2029 & \ud800 é"
    scene = small_scene() | {"lines": [evil], "message": evil}
    page = standalone_html(scene, title="</title><script>hurt()</script>")
    data, module, rest = Scripts(page).texts
    assert json.loads(data) == scene
    assert not set("<>&\u2028\u2029") & set(data)
    assert "start(" in module
    assert rest == ""
    assert page.count("<script") == 2
    page.encode("utf-8")


def test_standalone_page_has_no_address_and_the_same_bytes_each_time() -> None:
    page = standalone_html(small_scene())
    assert page == standalone_html(small_scene())
    assert "default-src 'none'" in page
    assert "unsafe" not in page
    assert page.replace("http://www.w3.org/2000/svg", "").count("http") == 1  # http-equiv
