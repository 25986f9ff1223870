"""What a cell reads, in execution order."""

import ast

import pytest

from tapemagic.notebook.source import follow, read_cell


def read(text):
    return read_cell(ast.parse(text).body)


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("y = w * x + b", "w x b"),
        ("w = 1.0\ny = w * x", "x"),
        ("w = w * 2", "w"),
        ("w += 1", "w"),
        ("w[0] = v", "v w"),
        ("a, b = b, a", "b a"),
        ("for i in r:\n t = i * w\n u = t", "r w"),
        ("for i in r:\n s = s + i", "r s"),
        ("for i in r:\n last = i\nlast", "r"),
        ("if c:\n y = w\ny", "c w y"),
        ("if c:\n y = w\nelse:\n y = v\ny", "c w v"),
        ("while n > 0:\n n = n - w", "n w"),
        ("with f() as g:\n g * w", "f w"),
        ("try:\n a = w\nexcept E:\n a = v\na", "w E v"),
        ("[u * us for u in us]", "us"),
        ("[(t := u) for u in us]\nt", "us"),
        ("y = (lambda q: q * w)(x)", "w x"),
        ("def f(x, k=d):\n return x * w\nf(v)", "d w v"),
        # what a function reads counts where it is called: here w is the cell's own by then
        ("def f(x):\n return x * w\nw = 2.0\nf(v)", "v"),
        ("def f(x):\n return x * w\nw = 2.0", ""),
        ("def f(x):\n return g(x)\ndef g(x):\n return w\nf(1)", "w"),
        ("class A:\n W = w\n V = W\n def m(self):\n  return z\nA().m()", "w z"),
        ("def f():\n global w\n w = 1\n return v\nf()", "v"),
        ("match p:\n case {'a': x, **rest}:\n  x * w", "p w"),
        ("import numpy as np\nnp.sin(w)", "w"),
        ("y = await f(w)", "f w"),
        ("f'{w:{v}}'", "w v"),
        ("del w", ""),
        ("model.w1 = 3", "model"),
        ("x.w", "x"),
    ],
)
def test_reads(text, reads):
    assert list(read(text).reads) == reads.split()


def test_binds_in_order():
    assert read("a = b = 1\nfor i in ():\n c, (d, *e) = 1\n").binds == (
        "a",
        "b",
        "i",
        "c",
        "d",
        "e",
    )


def test_last_expression():
    assert read("y = 1\ny ** 2").last == "y ** 2"
    assert read("y = 1").last == read("y ** 2").last_name == ""
    assert read("x = 2\ny = (\n  1)").last_name == "y"
    assert list(read("x = 2\ny = (\n  1)").last_lines) == [2, 3]
    assert read("").last == ""


def test_statement_that_does_not_compile_is_left_to_the_shell():
    assert read("y = w\nreturn 3\nz = v").reads == ("w", "v")


def test_follow_functions_in_the_namespace():
    namespace = {"__name__": "__main__"}
    exec(
        "import functools\n"
        "W = 1; b = 2; unread = 3; hidden = 4; deep = 5; deco = 6\n"
        "def layer(x): return W * x + helper(x)\n"
        "def helper(x): return (lambda y: b * y)(x)\n"
        "class Model:\n"
        "  def __call__(self, x): return hidden * x\n"
        "model = Model()\n"
        "table = {'f': lambda x: deep}\n"
        "def wrap(f):\n"
        "  def inner(x): return deco * f(x)\n"
        "  return inner\n"
        "wrapped = wrap(layer)\n"
        "bound = functools.partial(layer, 2)\n"
        "def loop(x): return loop(x)\n",
        namespace,
    )

    def reached(*names):
        return set(follow(names, namespace)) - set(names)

    assert reached("layer") == {"W", "helper", "b"}
    assert reached("model") == {"hidden"}
    assert reached("table") == {"deep"}
    assert reached("wrapped") == {"deco", "W", "helper", "b"}
    assert reached("bound") == {"W", "helper", "b"}
    assert reached("loop", "missing") == set()


def test_functions_of_other_modules_are_not_followed():
    other = {"__name__": "other", "W": 1}
    exec("def f(): return W", other)
    assert follow(("f",), {"__name__": "__main__", "f": other["f"], "W": 2}) == ["f"]
