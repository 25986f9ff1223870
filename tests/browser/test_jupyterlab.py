"""The whole way in a real JupyterLab: a cell is run, its picture drawn, stepped, dragged, kept."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import tapemagic

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

PACKAGE_ROOT = str(Path(tapemagic.__file__).parent.parent)
LOOP = """\
%%tape start -t total
total = 0.0
for k in range(1, count):
    total = total + np.sin(start * k) / k
total = total**2"""
CELLS = [
    "%load_ext tapemagic\nimport numpy as np\nstart, count = 0.5, 30",
    LOOP,
    "print('start is', start)",
]
STATIC = ".tapemagic-static img"
DRAWN = ".tapemagic [data-id]"


def write_notebook(path: Path) -> Path:
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start JupyterLab in a folder of its own, with nobody's settings."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    folder = tmp_path_factory.mktemp("lab")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    home = {name: str(folder / name.lower()) for name in places}
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
        "--ServerApp.port_retries=0", "--IdentityProvider.token=test",
        f"--ServerApp.root_dir={folder}", "--LabApp.news_url=",
    ]  # fmt: skip
    environment = {**os.environ, **home, "PYTHONPATH": PACKAGE_ROOT}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for_server(server, url, folder / "log")
        yield type("Lab", (), {"folder": folder, "url": url})
    finally:
        server.terminate()  # it shuts its kernels down first
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()  # the kernels see that it is gone


def wait_for_server(server: subprocess.Popen, url: str, log: Path) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{url}/api/status?token=test", timeout=2).close()
        except OSError:
            assert server.poll() is None, log.read_text()
            time.sleep(0.25)
        else:
            return
    pytest.fail(log.read_text())


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    page = chromium.new_page(viewport={"width": 1300, "height": 950})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    page.close()
    assert problems == []


def open_notebook(page: Any, lab: Any, path: Path) -> None:
    # `reset`: an empty workspace, not what another test left open
    page.goto(f"{lab.url}/lab/tree/{path.name}?token=test&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)


def menu(page: Any, name: str, entry: str) -> None:
    page.click(f".lm-MenuBar-itemLabel:text-is('{name}')")
    page.click(f".lm-Menu-itemLabel:text-is('{entry}')")


def wait_until_idle(page: Any) -> None:
    page.wait_for_selector(":text('| Idle')", timeout=60_000)  # in the status bar


def run_all(page: Any) -> None:
    wait_until_idle(page)
    menu(page, "Run", "Run All Cells")
    page.wait_for_selector(DRAWN, timeout=60_000)
    page.wait_for_selector(".jp-OutputArea-output :text('start is')")


def texts(page: Any, selector: str) -> list[str]:
    return page.locator(selector).all_text_contents()


def is_picture(page: Any) -> bool:
    """Whether the browser could draw the image, not only put its frame on the page."""
    return page.locator(STATIC).evaluate("image => image.complete && image.naturalWidth > 100")


def test_a_cell_is_drawn_and_answers(page: Any, lab: Any) -> None:
    open_notebook(page, lab, write_notebook(lab.folder / "live.ipynb"))
    run_all(page)
    assert "Gradients of total" in page.inner_text(".tapemagic .details")
    assert page.locator(STATIC).count() == 1
    assert page.locator(STATIC).is_hidden()  # its live twin stands above it

    # a box tells its facts, a line lights up its boxes
    group = page.locator(".tapemagic .box.kind-group .frame").first
    group.click()
    assert "range(1, count)" in page.inner_text(".tapemagic .details")
    page.hover(".tapemagic .line[data-line='5']")
    assert page.locator(".tapemagic .box.lit").count() == 1

    # a group opens in the kernel and comes back larger
    boxes = page.locator(DRAWN).count()
    page.click(".tapemagic .details .toggle")
    page.wait_for_function(f"document.querySelectorAll('{DRAWN}').length > {boxes}")

    # one step back is the last step of the way back
    page.click("[aria-label='One step back']")
    assert page.locator(".tapemagic .caption").text_content()

    # the slider runs the cell on copies
    before = texts(page, ".tapemagic .box.kind-target .value")
    page.focus(".noUi-handle")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => document.querySelector('.tapemagic .box.kind-target .value').textContent"
        " !== before",
        arg=before[0],
    )
    last = page.locator(".jp-Notebook .jp-Cell").last
    number = last.locator(".jp-InputPrompt").text_content()
    last.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "before => { const prompts = document.querySelectorAll('.jp-Notebook .jp-InputPrompt');"
        " const now = prompts[prompts.length - 1].textContent;"
        " return now !== before && /\\d/.test(now); }",
        arg=number,
    )
    assert texts(page, ".jp-OutputArea-output:has-text('start is')") == ["start is 0.5\n"]


def test_keys_are_the_views_own_while_it_has_focus(page: Any, lab: Any) -> None:
    open_notebook(page, lab, write_notebook(lab.folder / "keys.ipynb"))
    run_all(page)
    cells = page.locator(".jp-Notebook .jp-Cell")
    assert cells.count() == len(CELLS)
    for part in (".stage", ".source", ".details", ".steps", "[aria-label='Zoom in']"):
        page.focus(f".tapemagic {part}")
        for key in "ddxa":  # in command mode: delete, cut, a new cell
            page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert cells.count() == len(CELLS)
    page.focus(".tapemagic .stage")
    with page.expect_request(lambda request: request.method == "PUT"):
        page.keyboard.press("Control+s")  # saves the notebook, as everywhere in it


def test_a_cell_that_runs_again_replaces_its_view(page: Any, lab: Any) -> None:
    open_notebook(page, lab, write_notebook(lab.folder / "twice.ipynb"))
    run_all(page)
    run_all(page)
    assert page.locator(".tapemagic").count() == 1
    assert page.locator(STATIC).count() == 1


def test_the_static_picture_outlives_the_kernel(page: Any, lab: Any) -> None:
    path = write_notebook(lab.folder / "kept.ipynb")
    open_notebook(page, lab, path)
    run_all(page)
    menu(page, "File", "Save Notebook")
    menu(page, "Kernel", "Shut Down Kernel")
    page.wait_for_selector(".jp-NotebookPanel-toolbar :text('No Kernel')")
    assert page.locator(DRAWN).count() > 0  # what was drawn stays
    saved = json.loads(path.read_text())
    assert "widgets" not in saved["metadata"]

    open_notebook(page, lab, path)
    page.wait_for_selector(STATIC)
    assert is_picture(page)
    assert page.locator(DRAWN).count() == 0
    page.wait_for_selector(":text('| Idle')", timeout=60_000)
    page.wait_for_timeout(1000)  # in which JupyterLab gives up looking for the live view
    assert page.locator(":text('model not found')").is_hidden()


def test_an_untrusted_notebook_shows_the_static_picture(page: Any, lab: Any) -> None:
    path = write_notebook(lab.folder / "stranger.ipynb")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, kernel_name="python3").execute()
    notebook.metadata.pop("widgets", None)
    nbformat.write(notebook, path)  # by another program: JupyterLab does not trust it
    open_notebook(page, lab, path)
    page.wait_for_selector(STATIC)
    assert page.locator(STATIC).is_visible()
    assert is_picture(page)
    assert "start" in page.inner_text("table:has-text('gradient of total')")
