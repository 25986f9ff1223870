"""A page in headless Chromium that loads the front-end module with a fake model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tapemagic.display.standalone import STATIC, front_end

ORIGIN = "http://tapemagic.test"
CHROMIUM_FLAGS = [
    "--no-sandbox",  # root in a container has no sandbox
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# The model records what is written to it and who listens; `closed` makes it a dead kernel.
PAGE = """<!DOCTYPE html><html><head><link rel="stylesheet" href="/tape.css"></head>
<body style="margin:8px"><div id="one"></div><div id="two"></div><script>
window.makeModel = (state) => {
  const handlers = {};
  return {
    state, written: [], closed: false, handlers,
    get(name) { return state[name]; },
    set(name, value) {
      state[name] = value;
      this.written.push([name, value]);
      for (const handler of handlers[`change:${name}`] ?? []) handler();
    },
    save_changes() { if (this.closed) throw new Error("comm is closed"); },
    on(name, handler) { (handlers[name] ??= new Set()).add(handler); },
    off(name, handler) { handlers[name]?.delete(handler); },
    listeners() { return Object.values(handlers).reduce((sum, each) => sum + each.size, 0); },
  };
};
window.show = async (scene, id = "one") => {
  const { default: widget } = await import("/front_end.js");
  window.model ??= makeModel({ scene, open_groups: [], selected: "", inputs: {}, trouble: "" });
  (window.cleanups ??= []).push(widget.render({ model, el: document.getElementById(id) }));
};
</script></body></html>"""


# Not for the whole session: playwright keeps an event loop running, which other tests would see.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start a headless Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open pages that get our own files and nothing else; a test fails on any other request."""
    pages = []

    def serve(route: Any) -> None:
        url = route.request.url
        name = url.removeprefix(ORIGIN + "/")
        if name in pages[-1].html:
            route.fulfill(body=pages[-1].html[name], content_type="text/html")
        elif name == "front_end.js":
            route.fulfill(body=front_end(), content_type="text/javascript")
        elif (STATIC / name).is_file():
            kind = "text/javascript" if name.endswith("js") else "text/css"
            route.fulfill(body=(STATIC / name).read_text("utf-8"), content_type=kind)
        else:
            pages[-1].strangers.append(url)
            route.abort()

    def open_page(width: int = 900, height: int = 760, dark: bool = False, **more: Any) -> Any:
        page = chromium.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            **more,
        )
        page.strangers, page.problems, page.html = [], [], {"": PAGE}
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on(
            "console",
            lambda message: page.problems.append(message.text) if message.type == "error" else None,
        )
        pages.append(page)
        page.route("**/*", serve)
        return page

    yield open_page
    for page in pages:
        page.close()
        assert page.strangers == []
        assert page.problems == []


@pytest.fixture
def show(new_page: Callable[..., Any]) -> Callable[..., Any]:
    """Draw a scene in a new page and hand the page over."""

    def draw(scene: dict[str, Any], **page_options: Any) -> Any:
        page = new_page(**page_options)
        page.goto(ORIGIN + "/")
        page.evaluate("scene => window.show(JSON.parse(scene))", json.dumps(scene))
        return page

    return draw
