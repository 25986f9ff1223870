"""Values that leave the tape: right, or loud."""

import contextlib
import copy
import math
import pickle
import warnings
from collections import deque

import numpy as np
import pytest
from numpy._core.overrides import array_function_dispatch

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.autodiff.positions import qualified_name
from tapemagic.autodiff.twins import modules
from tapemagic.errors import LeavesTapeError, NoRuleError, TapeError


@pytest.mark.parametrize(
    "take",
    [
        lambda t: float(t), lambda t: complex(t), lambda t: math.sin(t), lambda t: np.array([t, t]),
        lambda t: np.asarray(t), lambda t: np.zeros(2).__setitem__(0, t), lambda t: pickle.dumps(t),
        lambda t: np.float64(t), lambda t: np.array([1.0, 2.0]).fill(t), lambda t: t.tobytes(),
        lambda t: memoryview(t), lambda t: np.frombuffer(t),
        lambda t: t.view(np.int64), lambda t: np.random.default_rng(0).normal(t),
        lambda t: np.ndarray((), float, t), lambda t: t.data, lambda t: t.ctypes, lambda t: t.dumps(),
    ],
)  # fmt: skip
def test_what_plain_python_takes_is_refused_or_followed(take):
    x = Variable(0.5)
    with GradientTape() as tape:
        t = x * 2.0
        try:
            y = take(t)
        except (TapeError, TypeError, AttributeError, BufferError):
            return
        except ValueError as error:  # NumPy's words, with ours as the cause
            assert isinstance(error.__cause__, TapeError)
            return
        if y is None:  # written into an array that nobody has any more
            return
        z = np.sum(y) * 1.0
    assert tape.gradient(z, x) is not None


def test_the_message_names_variable_line_and_fix():
    x = Variable(0.5)
    with GradientTape():
        speed = x * 2.0
        with pytest.raises(LeavesTapeError) as caught:
            float(speed)
    text = str(caught.value)
    assert "'speed'" in text
    assert "float(speed)" in text
    assert "stop_gradient" in text
    assert len(text.splitlines()) <= 6


def test_no_rule_names_the_function():
    x = Variable([0.5, 1.0])
    with GradientTape():
        speed = x * 2.0
        with pytest.raises(NoRuleError, match="'speed'"):
            unknown(speed)


@array_function_dispatch(lambda x: (x,))
def unknown(x):
    return x


@pytest.mark.parametrize(
    "show",
    [
        repr, str, lambda t: f"{t}", lambda t: f"{t:.3f}", lambda t: "%.2f" % t,  # noqa: UP031
        lambda t: format(t, ".2e"), lambda t: "{:.1f}".format(t),  # noqa: UP032
        lambda t: np.array2string(np.reshape(t, (1,))),
    ],
)  # fmt: skip
def test_text_is_that_of_the_plain_value(show):
    x = Variable(0.25)
    with GradientTape():
        t = x * 2.0
        assert show(t) == show(np.float64(0.5))


def test_a_whole_number_in_text_is_no_step_of_the_computation():
    x = Variable(2.75)
    with GradientTape() as tape:
        t = x * 2.0
        assert "%d of %s: %.2f" % (t, "x", t) == "5 of x: 5.50"  # noqa: UP031
        y = t * t
    assert tape.gradient(y, x) == 22.0
    assert tape.explain() == "Nothing to remark."


def test_arrays_print_plainly(capsys):
    x = Variable([0.25, 1.0])
    with GradientTape():
        print(x * 2.0)
    assert capsys.readouterr().out == "[0.5 2. ]\n"


def test_assert_allclose_works():
    x = Variable([0.25, 1.0])
    with GradientTape() as tape:
        t = x * 2.0
        np.testing.assert_allclose(t, [0.5, 2.0])
        assert np.allclose(t, [0.5, 2.0])
        y = np.sum(t)
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 2.0])


def test_flat_results_are_plain():
    x = Variable([3.0, 1.0])
    with GradientTape():
        t = x * 2.0
        assert type(np.argmax(t)) is np.int64
        assert type(t > 1.0) is np.ndarray
        assert type(bool(t[0] > 1.0)) is bool
        assert type(int(t[0])) is int
        assert type(t.astype(int)) is np.ndarray
        assert type(len(t)) is int
        assert t.shape == (2,)


def test_copies_stay():
    x = Variable([3.0, 1.0])
    with GradientTape() as tape:
        t = x * 2.0
        y = np.sum(copy.copy(t) + copy.deepcopy(t) + copy.deepcopy({"a": [t]})["a"][0])
    np.testing.assert_array_equal(tape.gradient(y, x), [6.0, 6.0])


def test_item_tolist_abs_round_sum_max_sorted():
    x = Variable([3.0, -1.0])
    with GradientTape() as tape:
        t = x * 1.0
        y = t[0].item() + sum(t.tolist()) + abs(t[1]) + round(t[0], 2) + max(t) + sorted(t)[0]
    np.testing.assert_array_equal(tape.gradient(y, x), [3.0, 1.0])  # round is flat


def test_identity_hash_and_dict_keys():
    x = Variable(3.0)
    with GradientTape():
        t = x * 2.0
        assert {t: 1}[t] == 1
        assert t in [t]
        assert isinstance(t, np.float64)
        assert isinstance(x * np.ones(2), np.ndarray)


def test_exceptions_are_numpys():
    x = Variable([1.0, 2.0])
    with GradientTape():
        t = x * 2.0
        for bad in (
            lambda: t + np.ones(3),
            lambda: t @ np.ones(3),
            lambda: np.reshape(t, (3,)),
            lambda: t[7],
            lambda: np.concatenate([t, np.ones((2, 2))]),
        ):
            with pytest.raises((ValueError, IndexError)) as caught:
                bad()
            assert not isinstance(caught.value, TapeError)
        for missing in ("foo", "__array_struct__"):
            with pytest.raises(AttributeError, match=missing):
                getattr(t, missing)
        for wrong in ("t.foo", "t.foo = 1", "t()", "t[0:", "'a' + t", "del t[0]"):
            assert_same_words(wrong, t, np.array([2.0, 4.0]))
        with pytest.raises(TypeError):
            t + "a"
        with pytest.raises((ValueError, TypeError)):
            bool(t)


def assert_same_words(code, *values):
    words = []
    for t in values:
        with pytest.raises(Exception) as caught:
            exec(code, {"t": t})
        words.append((caught.type, str(caught.value)))
    assert words[0] == words[1]


def test_warnings_are_numpys():
    x = Variable([0.0, 2.0])
    with GradientTape(), pytest.warns(RuntimeWarning, match="divide by zero"):
        _ = 1.0 / (x * 1.0)
    with GradientTape(), np.errstate(all="raise"), pytest.raises(FloatingPointError):
        _ = np.log(x * 1.0)


def test_nothing_is_warned_of_otherwise():
    x = Variable([1.0, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with GradientTape() as tape:
            y = np.sum(np.sin(x) * x / 2.0)
        tape.gradient(y, x)


def test_after_the_block_a_handle_behaves_like_its_value():
    x = Variable([1.0, 2.0])
    with GradientTape():
        t = x * 2.0
    assert float(t[0]) == 2.0
    np.testing.assert_array_equal(np.asarray(t), [2.0, 4.0])
    assert pickle.loads(pickle.dumps(t)).tolist() == [2.0, 4.0]
    assert tapemagic.stop_gradient(t) is not None


@pytest.mark.parametrize("folder", ["site-packages", "dist-packages"])  # pip's, and Debian's
def test_refusal_inside_a_library_names_the_line_that_called_it(folder):
    library = {"pickle": pickle}
    code = "def keep(x):\n    return pickle.dumps(x)"
    exec(compile(code, f"/somewhere/lib/{folder}/library/core.py", "exec"), library)
    x = Variable(2.0)
    with GradientTape(), pytest.raises(LeavesTapeError) as caught:
        library["keep"](x * 2)  # the line
    assert caught.value.code.endswith("# the line")


def test_what_a_library_takes_is_named_as_one_writes_it():
    """And the variable as it is called where the library was called, not inside."""
    sparse = pytest.importorskip("scipy.sparse")
    rates = Variable([1.0, 2.0])
    for make in (sparse.csc_array, sparse.coo_array):
        with pytest.raises(LeavesTapeError) as caught, GradientTape():
            speeds = rates * np.ones((2, 2))
            make(speeds)  # SciPy's own error says that the input is unrecognized
        name = f"scipy.sparse.{make.__name__}"
        assert f"'speeds' would leave the tape in {name}:" in caught.value.what
    kernels = pytest.importorskip("scipy.stats").gaussian_kde(np.arange(5.0))
    with pytest.raises(LeavesTapeError, match=r"scipy\.stats\.gaussian_kde\.evaluate"):
        with GradientTape() as tape:
            kernels.evaluate(tape.watch(np.ones(2)))
    hidden = {pytest.importorskip("scipy.special").spherical_jn}  # where no twin is put
    # a decorated function; before SciPy 1.15 a plain one, which lets the array through to a ufunc
    is_decorated = hasattr(*hidden, "__wrapped__")
    kind, name = (LeavesTapeError, r"scipy\.special\.") if is_decorated else (NoRuleError, "_")
    with pytest.raises(kind, match=f"{name}spherical_jn"):
        with GradientTape() as tape:
            next(iter(hidden))(1, tape.watch(np.ones(2)))


@pytest.mark.parametrize(
    "take",
    [
        lambda t: np.ndarray(2, buffer=t),
        memoryview,
        lambda t: memoryview(np.ones(2)).__setitem__(slice(None), t),
    ],
)
def test_what_asks_for_memory_is_told_why_there_is_none(take):
    with pytest.raises(TypeError, match="would leave the tape: its memory") as caught:
        with GradientTape() as tape:
            take(tape.watch(np.ones(2)))
    assert "stop_gradient" in str(caught.value)


def test_functions_are_named_as_one_writes_them():
    scipy_integrate = pytest.importorskip("scipy.integrate")
    assert qualified_name(scipy_integrate.quad) == "scipy.integrate.quad"
    assert qualified_name(scipy_integrate.solve_ivp) == "scipy.integrate.solve_ivp"
    assert qualified_name(np.linalg.svd) == "np.linalg.svd"
    assert qualified_name(len) == "len"


@pytest.mark.parametrize("index", [0, slice(None), Ellipsis])
def test_a_write_into_an_array_from_before_says_what_to_do(index):
    """And what it says works: watched, or made in the block, the array takes traced values."""
    x, before = Variable(0.5), np.zeros(2)
    with pytest.raises(LeavesTapeError, match="into a plain array") as caught, GradientTape():
        before[index] = x * 2.0
    assert "tape.watch" in caught.value.fix
    with GradientTape() as tape:
        tape.watch(before)
        before[index] = x * 2.0
        loss = np.sum(before)
    assert tape.gradient(loss, x) == (2.0 if index == 0 else 4.0)


LISTS = [
    (lambda a, b: np.exp([a, b]), "np.exp", "[a, b]"),
    (lambda a, b: np.maximum(0.0, [b, [a][0]]), "np.maximum", "[b, [a][0]]"),
    (lambda a, b: np.add.reduce((a, b)), "np.add.reduce", "(a, b)"),
    (lambda a, b: np.arange(2) * [a, b], "np.arange(2) * [a, b]", "[a, b]"),
    (lambda a, b: square_of([a, [b]][:1]), "np.square", "losses"),
]


def square_of(losses):
    return np.square(losses)


@pytest.mark.parametrize(
    ("call", "function", "expected"),
    [
        ("X.dot(w)", "np.dot(X, w)", [2, 2]),
        ("(X - 3).T.dot(w)", "np.dot((X - 3).T, w)", [-4, -4]),
        ("np.array([0, 0]).choose(w)", "np.choose(np.array([0, 0]), w)", [2, 0]),
    ],
)
def test_the_function_for_a_method_of_a_plain_array_is_named(call, function, expected, tmp_path):
    file = tmp_path / "script.py"
    file.write_text(f"def f(X, w):\n    return {call}\n")
    names = {"np": np, "X": np.ones((2, 2))}
    exec(compile(file.read_text(), str(file), "exec"), names)
    w = np.array([1.0, 2.0])
    with pytest.raises(LeavesTapeError, match="a plain array asks for") as caught:
        with GradientTape() as tape:
            names["f"](names["X"], tape.watch(w))
    assert function in caught.value.fix
    with GradientTape() as tape:
        y = eval(function, names, {"w": tape.watch(w)})
    np.testing.assert_allclose(tape.gradient(y, w), expected)


@pytest.mark.parametrize(
    ("call", "function", "kind"),
    [
        ("np.float64(w)", "np.asarray(w, np.float64)", "float64"),
        ("F(w * 2)", "np.asarray(w * 2, F)", "float32"),
        ("kinds[0](w)", "np.asarray(w, kinds[0])", "complex128"),
    ],
)
def test_the_function_for_a_type_that_is_called_is_named(call, function, kind, tmp_path):
    file = tmp_path / "script.py"
    file.write_text(f"def f(w):\n    return {call}\ndef g(w):\n    return {function}\n")
    names = {"np": np, "F": np.float32, "kinds": [np.complex128]}
    exec(compile(file.read_text(), str(file), "exec"), names)
    w = np.array([1.0, 2.0])
    with pytest.raises(LeavesTapeError, match=f"{kind} makes a plain value") as caught:
        tapemagic.grad(lambda w: np.sum(names["f"](w)).real)(w)
    assert function in caught.value.fix
    mend = names["g"]
    gradient = tapemagic.grad(lambda w: np.sum(mend(w)).real)(w)
    np.testing.assert_allclose(gradient, [2, 2] if "w * 2" in call else [1, 1])


@pytest.mark.parametrize(("take", "taker", "given"), LISTS, ids=[case[1] for case in LISTS])
def test_a_list_that_nobody_looks_into_is_named(take, taker, given):
    x = Variable([0.5, 2.0])
    with GradientTape(), pytest.raises(LeavesTapeError) as caught:
        take(x[0] * 1.0, x[1] * 1.0)
    assert f"{taker} does not look into the list {given}." in caught.value.what
    assert f"np.array({given})" in caught.value.fix


#: Functions of sequences of arrays; L holds traced numbers.
OF_LISTS = [
    "np.array(deque(L))", "np.mean(deque(L))", "np.stack([deque(L), L])", "np.dot(deque(L), L)",
    "np.array([deque(L), L])", "np.concatenate(deque([L, L]))", "np.interp(0.7, deque(L), L)",
    "np.concatenate([L, [1.0]])", "np.stack([L, L])", "np.vstack([L, (1.0, 2.0)])",
    "np.hstack((L, L))", "np.dstack([L, L])", "np.column_stack([L, [1.0, 2.0]])",
    "np.choose([0, 1], [L, [1.0, 2.0]])", "np.einsum('i,i', L, L)", "np.meshgrid(L, L)[1]",
    "np.broadcast_arrays(L, 1.0)[0]", "np.select([[True, False]], [L], 2.0)",
    "np.select([[True, False]], [[1, 0]], default=L[1])", "np.select([[True, False]], [0], L)",
    "np.piecewise(L, [[True, False]], [lambda v: v * v, 2.0])",
    "np.linalg.multi_dot([L, [L, L], L])", "np.block([L, L])", "np.array(L)[np.lexsort([L])]",
]  # fmt: skip


@pytest.mark.parametrize("text", OF_LISTS)
def test_lists_in_sequences_of_arrays_are_looked_into(text):
    x = Variable([0.5, 2.0])

    def plain(a, b):
        return float(np.sum(eval(text, {"np": np, "deque": deque, "L": [a * 2.0, b * b]}) * 3.0))

    with GradientTape() as tape:
        scope = {"np": np, "deque": deque, "L": [x[0] * 2.0, x[1] * x[1]]}
        y = np.sum(eval(text, scope) * 3.0)
    h = 1e-6
    expected = [
        (plain(0.5 + h, 2.0) - plain(0.5 - h, 2.0)) / (2 * h),
        (plain(0.5, 2.0 + h) - plain(0.5, 2.0 - h)) / (2 * h),
    ]
    assert float(y) == pytest.approx(plain(0.5, 2.0))
    np.testing.assert_allclose(tape.gradient(y, x, None, "zero"), expected, rtol=1e-6)


class Holder:
    def __init__(self):
        self.counts = np.zeros(3, dtype=np.uint8)


def a_slice(t):
    counts = np.zeros(3, dtype=np.uint8)
    counts[:] = t
    return counts


def a_row(t):
    counts = np.ones((2, 3), dtype=int)
    counts[1] = t * 2
    return counts


def at_indices(t):
    counts = np.zeros(3, dtype=np.int16)
    counts[[0, 2]] = t[:2]
    counts[t > 3] = t[t > 3]
    return counts


def of_bools(t):
    found = np.zeros(3, dtype=bool)
    found[...] = t
    return found


def an_attribute(t):
    holder = Holder()
    holder.counts[:] = t
    return holder.counts


def an_item(t):
    kept = {"counts": [np.zeros(3, dtype=int)]}
    kept["counts"][0][:] = t
    return kept["counts"][0]


def through_flat(t):
    counts = np.zeros((3, 1), dtype=int)
    counts.flat[:] = t
    return counts


def as_an_attribute(t):
    counts = np.zeros((3, 1), dtype=int)
    counts.flat = t
    return counts


def as_out(t):
    counts = np.zeros((2, 1), dtype=int)
    np.argmax([[0.0, 1.0]] + t[:1, None], axis=1, out=counts[0])
    t[:2].argmax(out=counts[1, 0:1].reshape(()))
    return counts


def filled(t):
    counts = np.zeros((3, 3), dtype=int)
    counts.fill(t[2])
    counts.put([0, 4], t[:2])
    modules.numpy_twin.fill_diagonal(counts[1:], t)
    return counts


def listed(t):
    counts = np.zeros(2, dtype=int)
    counts[:] = [t[1], 7.9]
    return counts


def put(t):
    counts = np.zeros(4, dtype=int)
    np.put(counts, [3, 0, 1], t)
    return counts


def copied(t):
    counts = np.zeros((2, 3), dtype=np.int16)
    np.copyto(counts, t, casting="unsafe")
    np.copyto(counts[0], t * 2, "unsafe", [True, False, True])
    return counts


def put_along_axis(t):
    counts = np.zeros((3, 2), dtype=int)
    np.put_along_axis(counts, np.array([[0], [1], [0]]), t[:, None], 1)
    return counts


@pytest.mark.parametrize(
    "write",
    [
        put, copied, put_along_axis, as_an_attribute, as_out, filled,
        a_slice, a_row, at_indices, of_bools, an_attribute, an_item, through_flat, listed,
        lambda t: np.full_like(np.arange(3), t), lambda t: np.full_like([1, 2], t[0]),
    ],
)  # fmt: skip
def test_traced_values_become_integers_in_arrays_of_integers(write):
    values = np.array([1.3, 2.4, 3.6])
    x = Variable(values)
    with GradientTape(persistent=True) as tape:
        found = write(x * 1.0)
        y = np.sum(x) * found.sum()
    expected = write(values)
    assert type(found) is np.ndarray
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(tape.gradient(y, x), np.full(3, float(expected.sum())))


def test_full_like_a_plain_array_stays():
    x = Variable([0.5, 2.0])
    with GradientTape() as tape:
        y = np.sum(np.full_like(np.arange(3), x[0], dtype=float) * x[1])
        y += np.sum(np.full_like(x * 1.0, [x[1], 3.0]))
    np.testing.assert_allclose(tape.gradient(y, x), [6.0, 2.5])


@pytest.mark.parametrize(
    ("take", "cause"),
    [
        (lambda t: np.array([t, None], dtype=object), "an array of objects"),
        (lambda t: np.array([(t, 1)], dtype=[("a", float), ("b", int)]), "named fields"),
        (lambda t: float([t, 1][0]), "float()"),
    ],
)  # fmt: skip
def test_a_list_is_blamed_for_nothing_else(take, cause):
    x = Variable([0.5, 2.0])
    with GradientTape(), pytest.raises(LeavesTapeError) as caught:
        take(x[0] * 1.0)
    assert cause in caught.value.what


def into_a_field(p, t):
    p["a"] = t


def into_an_attribute(p, t):
    p.a = t


def into_elements_of_a_field(p, t):
    p["b"][:, 1] = t


def into_a_field_of_an_element(p, t):
    p[0]["a"] = t[0]


def into_an_element(p, t):
    p[0] = (t[0], 0.0)


@pytest.mark.parametrize(
    "write",
    [
        into_a_field, into_an_attribute, into_elements_of_a_field, into_a_field_of_an_element,
        into_an_element,
    ],
)  # fmt: skip
def test_arrays_with_named_fields_are_called_so(write):
    x = Variable([0.5, 2.0])
    p = np.zeros(2, [("a", float), ("b", float, 2)]).view(np.recarray)
    with pytest.raises(LeavesTapeError, match="named fields") as caught, GradientTape():
        write(p, x * 1.0)
    assert "dict of arrays" in caught.value.fix


def test_a_refusal_that_a_script_catches_is_warned_of():
    x = Variable([1.0, 2.0])

    def half(x):
        try:
            return float(np.sum(x)) * x
        except Exception:
            return 0.5 * x

    tape = GradientTape()
    tape.start()
    y = half(x)
    with pytest.warns(UserWarning, match=r"A refusal at line \d+ was caught.*float\(\)"):
        tape.__exit__(None, None, None)
    np.testing.assert_array_equal(tape.gradient(y, x), [0.5, 0.5])
    assert "was caught" in tape.explain()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tape.start()
        tape.__exit__(None, None, None)  # once is enough
    with pytest.raises(LeavesTapeError), warnings.catch_warnings():
        warnings.simplefilter("error")
        with GradientTape():
            float(np.sum(x))


def refuse_inside(tape, error):
    """Let an inner tape's block end by an error, and catch that while `tape` records."""
    x = Variable(2.0)
    with tape:
        try:
            with GradientTape():
                y = x * x
                raise KeyError if error else float(y)
        except (KeyError, TypeError):
            y = 3.0 * x
    return tape.gradient(y, x)


def test_a_refusal_that_ends_an_inner_block_only_is_warned_of():
    with pytest.warns(UserWarning, match="refusal at line"):
        assert refuse_inside(GradientTape(), error=False) == 3.0


def test_another_error_of_an_inner_block_takes_nothing_back():
    tape = GradientTape()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert refuse_inside(tape, error=True) == 3.0
    tape = GradientTape()
    with pytest.raises(KeyError), tape:
        x = tape.watch(Variable(2.0))
        with contextlib.suppress(TypeError):
            float(x * x)
        raise KeyError
    assert "was caught" in tape.explain()


def test_a_refusal_that_led_to_the_error_is_no_finding():
    tape = GradientTape()
    with pytest.raises(RuntimeError), tape:
        x = tape.watch(Variable(2.0))
        try:
            float(x * x)
        except LeavesTapeError as error:
            raise RuntimeError from error
    assert "caught" not in tape.explain()


def in_module(name, folder="site-packages"):
    """Make a function of an installed package that takes a plain number."""
    names = {"__name__": name}
    code = "def take(taken):\n    return float(taken)"
    path = f"/somewhere/lib/{folder}/{name.replace('.', '/')}.py"
    exec(compile(code, path, "exec"), names)
    return names["take"]


@pytest.mark.parametrize("folder", ["site-packages", "dist-packages"])
def test_what_a_library_computes_is_refused_by_its_name(folder):
    take = in_module("library.core", folder)
    x = Variable(2.0)
    with GradientTape(), pytest.raises(LeavesTapeError, match=r"in library\.core\.take"):
        take(x * 2.0)


@pytest.mark.parametrize("name", ["pandas.io.formats.format", "marimo._output.formatting"])
def test_what_shows_a_table_gets_plain_values(name):
    show = in_module(name)
    x = Variable(2.0)
    with GradientTape() as tape:
        assert show(x * 2.0) == 4.0
    assert any(mark[0] == "shown" for node in tape.nodes() for mark in node.marks)
