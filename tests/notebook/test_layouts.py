"""Arrays from before the cell whatever their memory looks like: windows, permuted axes, records."""

import warnings

import numpy as np
import pytest
from both_runs import check
from worlds import run_plain, run_taped

from tapemagic.autodiff.recorder import PACKAGE
from tapemagic.errors import SourceError
from tapemagic.notebook.arguments import parse_path

START = """
import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
k, t = np.array([0.2, 0.3, 0.5]), 2.0
a = np.arange(1.0, 7.0)
"""
IMAGE = "img = np.random.default_rng(0).random((3, 4, 2)).transpose(1, 2, 0) * 2\n"
CELLS = {
    "windows": ("v = sliding_window_view(a, 3)", "out = ((v @ k) ** 2).sum()", "k"),
    "windows and their base": (
        "v = sliding_window_view(a, 3)",
        "out = ((v @ k) ** 2).sum() + (a * a).sum()",
        "a k",
    ),
    "windows of a row": (
        "a = np.arange(12.0).reshape(3, 4)\nv = sliding_window_view(a[1], 3)",
        "a *= 2\nout = ((v @ k) ** 2).sum() + (a * a).sum()",
        "a k",
    ),
    "writes through strides": (
        "v = as_strided(a, (3, 2), (16, 8))",
        "v[1] *= k[:2]\na[0] = a[5] * t\nout = (v ** 2).sum() + (a * a).sum()",
        "a k t",
    ),
    "large windows": (
        "a = np.linspace(0, 1, 150_000)\nv = sliding_window_view(a, 3)",
        "b = (v @ k).sum() / 1e4\na[5] = k[0]\na[6:9] *= k\nout = b + ((v[:9] @ k) ** 2).sum()",
        "k",
    ),
    "a view of permuted axes": (
        IMAGE + "patch = img[1:3]",
        "patch *= t\nout = (img ** 2).sum()",
        "img t",
    ),
    "a view that is read": (
        IMAGE + "patch = img[1:3]",
        "out = (img ** 2).sum() * t + patch.sum()",
        "img t",
    ),
    "views taken in the cell": (
        IMAGE,
        "patch = img[0]\npatch *= 10 * t\nfor row in img:\n    row *= 2\nout = (img ** 2).sum()",
        "img t",
    ),
    "a whole row of permuted axes": (IMAGE, "img[1] = img[0] * t\nout = (img ** 2).sum()", "img t"),
    "large permuted axes": (
        IMAGE.replace("(3, 4, 2)", "(3, 400, 200)") + "patch = img[1:3]",
        "b = (img * t).sum() / 1e5\npatch[0] *= t\nout = b + (img[:2] ** 2).sum() / 1e3",
        "t",
    ),
    "permuted axes, read-only before": (
        IMAGE + "img.flags.writeable = False",
        "img.flags.writeable = True\nimg[0] *= t\nout = (img ** 2).sum()",
        "t",
    ),
    "other names of the memory": (
        "b = np.frombuffer(a)\nc = np.ndarray((3,), buffer=a.data)\nd = np.asarray(memoryview(a))",
        "a[0] = 7 * a[1]\nout = b[0] * a[2] + c[0] + d[0] ** 2",
        "a",
    ),
    "fields": (
        "r = np.zeros(3, dtype=[('x', float), ('y', float)])\nx, y = r['x'], r['y']\nz = x[1:]",
        "x[...] = np.arange(3.0) * t\ny += x\nz *= t\nout = (x * x).sum() + y.sum() + z.sum()",
        "t",
    ),
    "a field between others": (
        "r = np.ones(3, dtype=[('n', 'i4'), ('x', float)])\nx = r['x']",
        "x[...] = np.arange(3.0) * t\nout = (x * x).sum() + x[1:].sum()",
        "t",
    ),
    "a field between others, flattened": (
        "r = np.ones(3, dtype=[('n', 'i4'), ('x', float)])\nx = r['x']",
        "y = x.ravel()\ny[0] = 7 * t\nout = (x * x).sum() + y.sum()",
        "t",
    ),
    "two fields between others": (
        "r = np.ones(3, dtype=[('n', 'i4'), ('x', float), ('y', float)])\nx, y = r['x'], r['y']",
        "x *= t\ny[1] = x[0] * t\nout = (x * y).sum()",
        "t",
    ),
    "complex and real fields": (
        "r = np.ones(3, dtype=[('z', complex), ('x', float)])\nx, z, v = r['x'], r['z'], r['z'].imag",
        "x *= t\nv += x\nz *= t\nout = (x * abs(z) ** 2).sum() + v.sum()",
        "t",
    ),
    "parts of complex numbers": (
        "z = (np.arange(24) + 1j).reshape(2, 3, 4).transpose(2, 0, 1) * 2\nx, y = z.real, z[1].imag",
        "x *= t\ny[0] = t\nout = (abs(z) ** 2).sum()",
        "t",
    ),
    "bytes": (
        "b = np.zeros(32, np.uint8)\nx = b.view(float)\ny = b[8:].view(float)",
        "x[...] = np.arange(4.0) * t\nout = (x * x).sum() + y.sum()",
        "t",
    ),
    "a matrix": ("m = np.matrix([[1.0, 2.0]])\nw = m.A\nv = np.asarray(m)",
                 "w *= t\nout = (w * v).sum()", "w t"),
    "results of broadcast_arrays": (
        "c, d = np.broadcast_arrays(a, np.ones((2, 1)))", "out = (a * c * d).sum()", "a"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:future versions will not create:FutureWarning")
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_memory_from_before_the_cell(cell):
    setup, text, names = cell
    check(START + setup, text, *names.split())


def test_a_file_in_memory(tmp_path):
    setup = (
        f"{START}m = np.memmap({str(tmp_path / 'm')!r}, float, 'w+', shape=4)\n"
        "m[...] = a[:4]\nv, x = m[1:3], np.asarray(m)"
    )
    check(setup, "v *= t\nout = (m * x).sum() + v.sum()", "x", "t")


def test_integers_beside_floats_keep_what_the_cell_writes():
    setup = START + "r = np.zeros(3, dtype=[('n', 'i8'), ('x', float)])\nx = r['x']"
    text = "x += t\nr['n'] += 5\nout = x.sum()"
    plain = run_plain(setup, text)["namespace"]["r"]
    taped = run_taped(setup, text, sources=(parse_path("t"),))[0]["namespace"]["r"]
    assert plain.tobytes() == taped.tobytes()


@pytest.mark.parametrize("setup", [
    "r = np.ones(3, dtype=[('n', 'i4'), ('x', float)])\nx = r['x']\ny = x[1:]",
    "x = np.ones(3)\ny = x.view(np.float32)",
    "r = np.ones(3, dtype=[('x', 'f8'), ('y', 'f4'), ('z', 'f4')])\nx, y = r['x'], r['y']",
    "b = bytearray(24)\nx = np.frombuffer(b)\ny = np.frombuffer(b)",
])  # fmt: skip
def test_memory_that_cannot_be_followed_is_refused(setup):
    taped, _ = run_taped(START + setup, "x[0] = t\nout = y.sum() + t")
    assert isinstance(taped["raised"], SourceError)
    assert "share memory" in taped["error"]
    plain = run_plain(START + setup, "")
    assert taped["values"] == plain["values"]


def test_a_view_that_is_left_as_a_copy_is_told():
    setup = START + "r = np.ones(3, dtype=[('n', 'i4'), ('x', float)])\nx = r['x']"
    with pytest.warns(UserWarning, match="is left as a copy"):
        taped, _ = run_taped(setup, "y = x[1:]\ny *= t\nout = x.sum()")
    assert taped["namespace"]["y"].tolist() == [2.0, 2.0]
    assert taped["namespace"]["r"]["x"].tolist() == [1.0, 2.0, 2.0]


def test_asking_for_flags_warns_of_nothing():
    setup = START + "c, d = np.broadcast_arrays(a, np.ones((2, 1)))"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        taped, _ = run_taped(setup, "out = (a * c).sum()")
    assert taped["error"] == "NoneType: None"
    assert [one.filename for one in caught if PACKAGE in one.filename] == []


LAID_OUT = ("w[::-1]", "m[::-1]", "m[:, ::-1]", "m.T[::-1]", "m[::-1].T", "np.flip(m)", "m[:, 1:]")
LAID_OUT += ("w[::-1][1:]", "np.broadcast_to(w, (2, 3))", "(m * 1j).imag")


@pytest.mark.parametrize("array", LAID_OUT)
@pytest.mark.parametrize("given", ["v", "v, order='A'", "v, order='F'", "[v, v[::-1]]"])
def test_nditer_goes_through_memory(array, given):
    cell = f"m = np.outer(w[:2], w)\nv = {array}\nout = 0.0\nfor k, q in enumerate(np.nditer({given})):\n"
    check(
        "import numpy as np\nw = np.array([0.5, 1.5, 0.25])",
        cell + "    out = out + np.sum(q) * (k + 1)\nprint(out)",
        "w",
    )


@pytest.mark.parametrize("turn", [1, -1])
def test_nditer_tells_apart_elements_that_lie_in_one_place(turn):
    v = np.broadcast_to(np.array([0.5, 1.5, 0.25])[::turn], (2, 3))
    cell = "out = 0.0\nfor k, q in enumerate(np.nditer(v)):\n    out = out + q**2 * (k + 1)"
    setup = "import numpy as np\n"
    setup += f"v = np.broadcast_to(np.array([0.5, 1.5, 0.25])[::{turn}], (2, 3))"
    _, session = run_taped(setup, cell, sources=(parse_path("v"),))
    session.differentiate()
    places = np.nditer(v, ["multi_index"])
    expected = np.empty(v.shape)
    for k, _ in enumerate(places):
        expected[places.multi_index] = 2 * v[places.multi_index] * (k + 1)
    np.testing.assert_allclose(session.gradients[0], expected)
