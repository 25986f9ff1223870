"""What IPython 7 and Colab do in another way, tried without them."""

from types import SimpleNamespace

import pytest
from IPython.core.completer import CompletionSplitter

from tapemagic.notebook import completion

PARSER = SimpleNamespace(
    _actions=[
        SimpleNamespace(option_strings=["--show"], choices=["widget", "static"]),
        SimpleNamespace(option_strings=["--strict"], choices=None),
    ]
)
NAMES = {"weights": 1.0, "params": {"W1": 1.0, "W2": 2.0}, "model": SimpleNamespace(W1=1.0)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%%tape --s", ["--show", "--strict"]),
        ("%%tape w --show st", ["static"]),
        ("%%tape wei", ["weights"]),
        # only what stands behind the bracket is a word to it
        ('%%tape params["W', ['W1"]', 'W2"]']),
        ("%%tape model.", ["model.W1"]),
        ("# %%tape wei", ["weights"]),
        ("wei", []),
        ("y = %%tape wei", []),
    ],
)
def test_completion_before_ipython_8_6(monkeypatch, line, expected):
    monkeypatch.setattr(completion, "ipython", SimpleNamespace())  # has no context_matcher
    completer = SimpleNamespace(
        text_until_cursor=line, splitter=CompletionSplitter(), magic_arg_matchers=[]
    )
    assert completion.matchers_of(completer) is completer.magic_arg_matchers
    match = completion.make_matcher(completer, PARSER, NAMES)
    assert match(line + " and more") == expected


@pytest.mark.kernel
def test_a_handler_of_the_shell_shows_its_own_errors_and_we_the_others(kernel):
    """Colab has one for missing modules before anybody loads an extension."""
    kernel.run(
        "%unload_ext tapemagic\n"
        "def _mine(shell, kind, error, tb, tb_offset=None):\n"
        "    print('handled', kind.__name__)\n    shell.showtraceback((kind, error, tb))\n"
        "get_ipython().set_custom_exc((ImportError,), _mine)\n%load_ext tapemagic\n"
        "from tapemagic import tf"
    )
    try:
        for cell in ("import nowhere_at_all", "%%tape w --show none\nimport nowhere_at_all"):
            reply = kernel.run(cell)
            assert (reply.error, reply.stream()) == (
                "ModuleNotFoundError",
                "handled ModuleNotFoundError\n",
            )
        for cell in ("tf.reshape(tf.ones(4), 3)", "%%tape w --show none\nfloat('abc')"):
            reply = kernel.run(cell)
            assert reply.stream() == ""
            assert "tapemagic/" not in reply.traceback
            assert cell.splitlines()[-1] in reply.traceback
        kernel.run("%unload_ext tapemagic")
        assert kernel.value("get_ipython().custom_exceptions") == "(<class 'ImportError'>,)"
    finally:
        kernel.run("get_ipython().set_custom_exc((), None)\n%reload_ext tapemagic")
        kernel.run("%config TapeMagics.show = 'none'")
