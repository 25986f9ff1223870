"""Set up tapemagic in .venv and start working with it.

    python dev.py lab         open JupyterLab on the first notebook
    python dev.py test        run the tests
    python dev.py versions    run the tests on the oldest NumPy, IPython, and every newer Python

Python 3.11 and pip are all that has to be there. The set-up runs once, and again when
pyproject.toml has changed. Further words go to JupyterLab or pytest: python dev.py test -k layers
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
STAMP = ENVIRONMENT / "tapemagic-installed"

# in a container one is root, which Jupyter otherwise refuses
AS_ROOT = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
COMMANDS = {
    # name: (extra of pyproject.toml, what runs in the environment)
    "lab": ("lab", ["-m", "jupyterlab", "notebooks/01_first_tape.ipynb", *AS_ROOT]),
    # two workers: more would starve the kernels that some tests start
    "test": ("dev", ["-m", "pytest", "-n", "2"]),
}
# what else the tests are to pass on: (Python, what is not to be the newest); each has its own .venv
VERSIONS = [
    # The oldest that pyproject.toml allows. IPython 7.34 and ipywidgets 7.7 are what Colab has.
    (
        "3.11",
        ["numpy==2.0.*", "scipy==1.13.*", "pandas==2.2.*", "ipython==7.34.*", "ipywidgets==7.7.*"],
    ),
    ("3.12", []),
    ("3.13", []),
    ("3.14", []),
]


def find_python(version: str) -> Path | None:
    """Find an interpreter that runs: on the path, or among those of pyenv."""
    found = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    places = [Path(found)] if found else []
    for python in [*places, *sorted(pyenv.glob(f"versions/{version}.*/bin/python"))]:
        asked = subprocess.run([python, "--version"], capture_output=True, text=True, check=False)
        if asked.returncode == 0 and asked.stdout.startswith(f"Python {version}."):
            return python
    return None


def run_versions(words: list[str]) -> int:
    """Run the tests in one environment after the other; say which versions are not there."""
    failed = False
    for version, pins in VERSIONS:
        name = " ".join([f"Python {version}", *pins])
        python = find_python(version)
        if python is None:
            print(f"{name}: skipped, it is not installed", flush=True)
            continue
        place = ROOT / "-".join([f".venv-{version}", *(pin.strip("=.*") for pin in pins)])
        own = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        print(f"{name}: in {place.name}", flush=True)
        if not own.exists():
            subprocess.run([python, "-m", "venv", "--without-pip", place], check=True)
        install = [sys.executable, "-m", "pip", "--python", str(own), "install", "--quiet"]
        subprocess.run([*install, *pins, "--editable", ".[test]"], cwd=ROOT, check=True)
        tests = [str(own), "-m", "pytest", "-n", "2", *words]
        done = subprocess.run(tests, cwd=ROOT, check=False)
        failed = failed or done.returncode != 0
    return int(failed)


def set_up(extra: str) -> None:
    """Install this checkout with `extra` into .venv, unless that has been done."""
    # an editable install remembers where the checkout is, so a moved one is installed again
    described = (ROOT / "pyproject.toml").read_bytes() + str(ROOT).encode()
    wanted = hashlib.sha256(described).hexdigest()
    installed = STAMP.read_text().split() if STAMP.exists() else []
    # dev has everything that lab has
    if PYTHON.exists() and installed in ([wanted, extra], [wanted, "dev"]):
        return
    print("Installing into .venv, this takes a minute or two …", flush=True)
    if not PYTHON.exists():
        # Without pip, because Debian's Python cannot put it there by itself: ours installs it.
        venv.create(ENVIRONMENT, clear=True, with_pip=False, symlinks=sys.platform != "win32")
    outer_pip = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    install = ["install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*outer_pip, *install, "pip", "--editable", f".[{extra}]"], cwd=ROOT, check=True)
    STAMP.write_text(f"{wanted} {extra}")


def main(words: list[str]) -> int:
    """Do what the first word says; the exit code is that of the program it starts."""
    if not words or words[0] not in (*COMMANDS, "versions"):
        print(__doc__)
        return 2
    try:
        if words[0] == "versions":
            return run_versions(words[1:])
        extra, program = COMMANDS[words[0]]
        set_up(extra)
        return subprocess.run([PYTHON, *program, *words[1:]], cwd=ROOT, check=False).returncode
    except subprocess.CalledProcessError as failure:
        return failure.returncode  # pip has said why
    except KeyboardInterrupt:
        return 130  # Ctrl-C is how one leaves JupyterLab


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - this is where an older Python ends up
        sys.exit(f"tapemagic needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    sys.exit(main(sys.argv[1:]))
