"""The wheel, the two commands of the README and binder/ work away from this checkout."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]

CELLS = """
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for cell in [
    "%load_ext tapemagic",
    "import numpy as np; w = np.array([1.0, 2.0])",
    "%%tape w --show text\\nloss = np.sum(w**2)",
    "print(tape.gradient('loss', 'w').tolist())",
]:
    shell.run_cell(cell, store_history=True).raise_error()
import tapemagic
print(tapemagic.__file__)
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Build the wheel with the tools of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([*PIP, *build], check=True, timeout=100)
    (path,) = folder.glob("tapemagic-*.whl")
    return path


def test_wheel_has_the_whole_package_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = ROOT / "tapemagic"
    files = {path.relative_to(ROOT).as_posix() for path in package.rglob("*") if path.is_file()}
    assert names == {name for name in files if "__pycache__" not in name}
    assert any(name.endswith(".js") for name in names)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_wheel_runs_a_cell_without_the_checkout(wheel, tmp_path):
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    python = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    subprocess.run([*PIP, "--python", str(python), "install", str(wheel)], check=True)
    finished = subprocess.run(
        [python, "-c", CELLS],
        cwd=tmp_path,
        env=os.environ | {"IPYTHONDIR": str(tmp_path / "ipython")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    *_, gradient, where = finished.stdout.splitlines()
    assert gradient == "[2.0, 4.0]"
    assert Path(where).is_relative_to(environment)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(sys.platform == "win32", reason="stops the server with a signal")
def test_lab_command_opens_the_first_notebook(tmp_path):
    first = "01_first_tape.ipynb"  # JupyterLab serves the folder of the notebook that it opens
    server_flags = ["--no-browser", "--ServerApp.port=0", "--IdentityProvider.token=t"]
    process = subprocess.Popen(
        [sys.executable, "dev.py", "lab", *server_flags],
        cwd=ROOT,
        env=os.environ | {"JUPYTER_RUNTIME_DIR": str(tmp_path)},
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 300
        while not (started := list(tmp_path.glob("jpserver-*.json"))):
            assert process.poll() is None, "the command ended by itself"
            assert time.monotonic() < deadline, "JupyterLab did not start"
            time.sleep(0.5)
        url = json.loads(started[0].read_text())["url"]
        with urllib.request.urlopen(f"{url}lab/tree/{first}?token=t", timeout=60) as page:
            assert page.status == 200
        with urllib.request.urlopen(f"{url}api/contents/{first}?token=t", timeout=60) as answer:
            assert json.load(answer)["type"] == "notebook"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def test_binder_is_what_repo2docker_accepts():
    pytest.importorskip("repo2docker")
    repo2docker = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    finished = subprocess.run(repo2docker, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    dockerfile = finished.stdout + finished.stderr
    assert "install --yes --no-install-recommends graphviz" in dockerfile
    # the checkout is there before pip is asked to install it
    checkout = dockerfile.index("src/ ${REPO_DIR}/")
    assert checkout < dockerfile.index('pip install --no-cache-dir -r "binder/requirements.txt"')
