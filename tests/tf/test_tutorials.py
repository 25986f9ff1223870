"""Tutorials with only their import line changed print what TensorFlow 2.21 prints.

What that is stands in tutorials/printed.json; in an environment that has TensorFlow, this writes it:

    python tests/tf/test_tutorials.py
"""

import contextlib
import io
import json
import re
import sys
from pathlib import Path

import pytest

TUTORIALS = sorted(Path(__file__).with_name("tutorials").glob("*.py"))
PRINTED = Path(__file__).with_name("tutorials") / "printed.json"
IMPORT = "import tensorflow as tf\n"
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan|inf", re.IGNORECASE)


def printed_by(tutorial, import_line):
    """Run a tutorial with its import line replaced, and return what it prints."""
    text = tutorial.read_text("utf-8").replace(IMPORT, import_line, 1)
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(compile(text, str(tutorial), "exec"), {"__name__": "__main__"})
    return shown.getvalue()


def words_of(text):
    """Return the text without numbers, signs and spaces, which stand for their rounding."""
    return re.sub(r"[-+\s]", "", NUMBER.sub("#", text))


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_prints_the_same(tutorial):
    expected = json.loads(PRINTED.read_text("utf-8"))[tutorial.stem]
    found = printed_by(tutorial, "from tapemagic import tf\n")
    assert words_of(found) == words_of(expected)
    numbers = [[float(n) for n in NUMBER.findall(text)] for text in (found, expected)]
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-3, abs=1e-5, nan_ok=True)


if __name__ == "__main__":
    import tensorflow as tf

    about = f"What the programs beside this file print under TensorFlow {tf.__version__}."
    told = {"about": about}
    for path in TUTORIALS:
        told[path.stem] = printed_by(path, IMPORT)
        sys.stderr.write(f"{path.stem}\n")
    lines = [f'"{name}": {json.dumps(text)}' for name, text in told.items()]
    PRINTED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
