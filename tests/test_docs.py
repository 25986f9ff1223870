"""What the documents say holds: cells run, examples run, links and commands exist."""

import doctest
import importlib
import inspect
import re
import tomllib
from pathlib import Path

import pytest
from rooms import FILES, ROOT

DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = ["tapemagic." + file.removesuffix(".py").replace("/", ".") for file in FILES]
MODULES = [module.removesuffix(".__init__") for module in MODULES]


def find_blocks(language, text):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.kernel
def test_readme_cells_run_in_a_kernel(tmp_path):
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [new_code_cell(block) for block in find_blocks("python", README)]
    assert any(cell.source.startswith("%%tape") for cell in cells)
    # an error in a cell is raised here
    notebook = NotebookClient(
        new_notebook(cells=cells), resources={"metadata": {"path": str(tmp_path)}}, timeout=60
    ).execute()
    shown = [cell for cell in notebook.cells if cell.source.startswith("%%tape")]
    for cell in shown:
        texts = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
        assert any("loss" in text for text in texts), f"no output below {cell.source}"


def test_readme_commands_are_what_ci_runs():
    commands = [block.strip() for block in find_blocks("sh", README)]
    assert commands == ["python dev.py lab", "python dev.py test"]
    assert "step python dev.py test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_sections_are_written(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    # a heading followed by one of the same or a higher level has nothing to say
    headings = re.findall(r"^(#+) (.+)\n+(?=(#+) |\Z)", text, flags=re.MULTILINE)
    empty = [name for level, name, following in headings if len(following) <= len(level)]
    assert empty == []


# families of files with one job, one file per subject: the table names them by a pattern
FAMILIES = ("autodiff/rules/", "autodiff/twins/", "autodiff/programs/", "tf/")
NAMED = [
    file for file in FILES if not file.endswith("__init__.py") and not file.startswith(FAMILIES)
]


@pytest.mark.parametrize("file", NAMED)
def test_architecture_names_every_file(file):
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert f"`{file}`" in text or f"`{Path(file).name}`" in text


def test_changelog_has_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (latest, *_) = re.findall(r"^## (\S+)", changelog, flags=re.MULTILINE)
    assert latest == PYPROJECT["project"]["version"]


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    results = doctest.testmod(importlib.import_module(module), optionflags=flags)
    assert results.failed == 0


def test_public_names_have_an_example():
    import tapemagic

    public = [getattr(tapemagic, name) for name in tapemagic.__all__]
    functions = [thing for thing in public if inspect.isroutine(thing) or inspect.isclass(thing)]
    assert functions
    lacking = [thing.__name__ for thing in functions if ">>>" not in (thing.__doc__ or "")]
    assert lacking == []
