"""Take the README's screenshot: python docs/screenshot.py.

A cell is run in a kernel, and its live view drawn by headless Chromium in the standalone page that
`tape.save` writes; so it needs no server, and looks the same everywhere.
"""  # noqa: INP001

import shutil
import tempfile
from pathlib import Path

from IPython.testing.globalipapp import start_ipython
from playwright.sync_api import sync_playwright

from tapemagic.display.scene import make_scene
from tapemagic.display.standalone import standalone_html

PICTURE = Path(__file__).parent / "screenshot.png"
CELLS = (
    "%load_ext tapemagic",
    '%config TapeMagics.show = "none"',
    "import numpy as np",
    """\
x = np.array([[-2.0, 1.0, 3.0]])
w = np.array([[0.5, -1.0], [1.0, 0.5], [-0.5, 0.75]])
b = np.zeros(2)""",
    """\
%%tape w b -t loss
hidden = x @ w + b
kept = np.maximum(hidden, 0)
error = kept - [1.0, 2.0]
loss = np.mean(error**2)""",
)


def main() -> None:
    """Run the cells, draw the page, keep its picture."""
    shell = start_ipython()
    for cell in CELLS:
        shell.run_cell(cell).raise_error()
    scene = make_scene(shell.user_ns["tape"].graph)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "page.html"
        page_file.write_text(standalone_html(scene), encoding="utf-8")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 940, "height": 900}, device_scale_factor=1.4)
        page.goto(page_file.as_uri())
        page.click("[aria-label='One step back']")
        page.click("[aria-label='One step back']")
        page.locator(".tapemagic").screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
