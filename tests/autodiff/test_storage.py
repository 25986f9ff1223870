"""Writes and views: NumPy's aliasing under the tape, and what it costs."""

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.autodiff import storage, structure
from tapemagic.autodiff.borrowing.borrowed import Borrowed
from tapemagic.autodiff.twins import modules


def gradient_of(body, *inputs):
    """Run ``body(*handles)`` under a tape; return the gradients."""
    borrowed = Borrowed()
    with GradientTape() as tape:
        handles = tape.watch([borrowed.lift(x) for x in inputs])
        loss = body(*handles)
    found = tape.gradient(loss, handles, unconnected_gradients="zero")
    return found[0] if len(inputs) == 1 else found


assert modules  # the rule of sliding_window_view lives there

W = np.array([1.0, 10.0, 100.0])


def write_item(x):
    x[1] = x[0] * 5.0
    return np.sum(W * x)


def write_slice(x):
    x[1:] = x[:-1]
    return np.sum(W * x)


def write_overlapping(x):
    x[1:] += x[:-1]
    return np.sum(W * x)


def write_through_a_view(x):
    view = x[::-1]
    view[0] = x[0] * 2.0
    return np.sum(W * x)


def write_through_a_view_of_a_view(x):
    x[1:][::-1][0] *= 3.0
    return np.sum(W * x)


def view_sees_the_write(x):
    view = x[1:]
    x[2] = x[0] * 4.0
    return np.sum(view * W[1:])


def value_saved_before_a_write(x):
    y = x * x
    x[:] = 0.0
    return np.sum(W * y) + np.sum(x)


def square_in_place(x):
    x *= x
    return np.sum(W * x)


def repeated_indices_keep_the_last(x):
    z = x * 0.0
    z[[0, 0, 1]] = x
    return np.sum(W * z)


def fancy_in_place(x):
    x[[0, 0, 1]] += x
    return np.sum(W * x)


def add_at(x):
    np.add.at(x, [0, 0, 1], x * 2.0)
    return np.sum(W * x)


def masked(x):
    x[x > 1.5] *= 7.0
    return np.sum(W * x)


def out_argument(x):
    y = x * 1.0
    np.multiply(x, y, out=y)
    np.sin(y, out=y)
    return np.sum(W * y)


def out_into_a_view(x):
    y = x * 1.0
    np.multiply(x[:2], 3.0, out=y[1:])
    return np.sum(W * y)


def whole_write_of_itself(x):
    x[...] = x
    x[:] += x
    return np.sum(W * x)


def flat_write(x):
    x.flat[1] = x.flat[2] * 2.0
    return np.sum(W * x)


def reversed_into_itself(x):
    x[:] = x[::-1]
    return np.sum(W * x)


def fill_loop(x):
    z = x * 0.0
    for i in range(3):
        z[i] = x[i] * x[i - 1] + (z[i - 1] if i else 0.0)
    return np.sum(W * z)


def swap(x):
    x[0], x[1] = x[1] * 1.0, x[0] * 1.0
    return np.sum(W * x)


def sort_in_place(x):
    y = -x
    y.sort()
    return np.sum(W * y)


def inplace_through_transpose(x):
    m = np.stack([x, 2.0 * x])
    m.T[0] *= 5.0
    return np.sum(m * np.arange(6.0).reshape(2, 3))


def sliding_windows(x):
    windows = np.lib.stride_tricks.sliding_window_view(x, 2)
    x[1] = x[0] * 3.0
    return np.sum(windows * np.arange(4.0).reshape(2, 2))


def sliding_windows_of_what_repeats(x):
    repeated = np.broadcast_to(x[:2], (3, 2))
    windows = np.lib.stride_tricks.sliding_window_view(repeated, 2, axis=0)
    x[1] = x[0] * x[2]
    return np.sum(windows**2)


def writes_into_sliding_windows(x):
    windows = np.lib.stride_tricks.sliding_window_view(x[1:], 1, writeable=True)
    windows[0] = x[0] * x[2]
    return np.sum(windows * x[0]) + x[1] ** 2


def frozen_read_then_write(x):
    part = x[:2]
    y = part * part
    x[0] = 5.0
    z = part * part
    return np.sum(y) + 10.0 * np.sum(z)


PROGRAMS = [
    write_item, write_slice, write_overlapping, write_through_a_view,
    write_through_a_view_of_a_view, view_sees_the_write, value_saved_before_a_write,
    square_in_place, repeated_indices_keep_the_last, fancy_in_place, add_at, masked, out_argument,
    out_into_a_view, whole_write_of_itself, flat_write, reversed_into_itself, fill_loop, swap,
    sort_in_place, inplace_through_transpose, sliding_windows, frozen_read_then_write,
    sliding_windows_of_what_repeats, writes_into_sliding_windows,
]  # fmt: skip


def differences(body, x, step=1e-6):
    found = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        shift = np.zeros_like(x)
        shift[i] = step
        found[i] = (body(x + shift) - body(x - shift)) / (2 * step)
    return found


@pytest.mark.parametrize("body", PROGRAMS, ids=lambda body: body.__name__)
def test_writes(body):
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(gradient_of(body, x.copy()), differences(body, x), rtol=1e-6)


def test_the_borrowed_array_is_written_only_at_the_end():
    x = np.array([1.0, 2.0])
    borrowed = Borrowed()
    with GradientTape() as tape:
        handle = tape.watch(borrowed.lift(x))
        handle *= 3.0
        assert list(x) == [1.0, 2.0]
    borrowed.restore()
    assert list(x) == [3.0, 6.0]
    assert borrowed.lower(handle) is x


def test_views_of_borrowed_arrays_alias():
    x = np.arange(6.0)
    view = x[::2]
    borrowed = Borrowed()
    with GradientTape() as tape:
        base, part = borrowed.lift(x), borrowed.lift(view)
        tape.watch(base)
        part[1] = base[0] * 5.0
        loss = base[2] * 7.0
    assert list(tape.gradient(loss, base)) == [35.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    borrowed.restore()
    assert x[2] == 0.0
    assert borrowed.lower(part) is view


def test_a_watched_view_reaches_the_base():
    x = np.arange(4.0)
    view = x[1:3]
    borrowed = Borrowed()
    with GradientTape(persistent=True) as tape:
        base, part = borrowed.lift(x), borrowed.lift(view)
        tape.watch(part)
        loss = np.sum(base * np.arange(4.0)) + np.sum(part)
    assert list(tape.gradient(loss, part)) == [2.0, 3.0]


def test_a_watched_base_and_a_watched_view():
    x = np.arange(1.0, 5.0)
    view = x[1:3]
    borrowed = Borrowed()
    with GradientTape(persistent=True) as tape:
        base, part = borrowed.lift(x), borrowed.lift(view)
        tape.watch([base, part])
        loss = np.sum(base * base) + np.sum(part * 10.0)
    assert list(tape.gradient(loss, base)) == [2.0, 14.0, 16.0, 8.0]
    assert list(tape.gradient(loss, part)) == [14.0, 16.0]


def test_read_only_arrays_refuse_as_numpy_does():
    x = np.array([1.0, 2.0])
    x.flags.writeable = False
    with GradientTape() as tape:
        handle = tape.watch(Borrowed().lift(x))
        with pytest.raises(ValueError, match="read-only"):
            handle[0] = 5.0
        with pytest.raises(ValueError, match="read-only"):
            handle += 1.0


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("x[5] = 1.0", IndexError),
        ("x[0] = [1.0, 2.0]", ValueError),
        ("x[:] = np.ones(5)", ValueError),
        ("x += np.ones(5)", ValueError),
        ("x += 1j", TypeError),
        ("x['a'] = 1.0", IndexError),
        ("x[0, 0] = 1.0", IndexError),
        ("np.add(x, 1.0, out=np.zeros(5))", (ValueError, tapemagic.errors.TapeError)),
    ],
)
def test_errors_are_numpys_and_change_nothing(statement, error):
    space = {"np": np}
    plain = np.array([1.0, 2.0])
    with GradientTape() as tape:
        x = space["x"] = tape.watch(Borrowed().lift(plain))
        with pytest.raises(error):
            exec(statement, space)
        loss = np.sum(x * x)
    np.testing.assert_array_equal(tape.gradient(loss, x), [2.0, 4.0])


# ----------------------------------------------------------------------------------- costs


def count_calls(monkeypatch, module, name):
    calls = []
    original = getattr(module, name)

    def counting(*args, **kwargs):
        calls.append(args)
        return original(*args, **kwargs)

    monkeypatch.setattr(module, name, counting)
    return calls


def test_one_zero_array_for_n_indexings(monkeypatch):
    borrowed, numbers = Borrowed(), np.arange(200.0)
    with GradientTape() as tape:
        x = tape.watch(borrowed.lift(numbers))
        loss = sum(x[i] * x[i] for i in range(200))
    zeros = count_calls(monkeypatch, structure.np, "zeros")
    gradient = tape.gradient(loss, x)
    assert len([args for args in zeros if args[0] == (200,)]) == 1
    np.testing.assert_array_equal(gradient, 2.0 * np.arange(200.0))


def fill_loop_copies(n, monkeypatch):
    """Return how many elements a fill loop of n writes copies, forward and in the sweep."""
    elements = 0
    original = storage.Storage.copy_buffer

    def counting(self):
        nonlocal elements
        elements += self.buffer.size
        original(self)

    monkeypatch.setattr(storage.Storage, "copy_buffer", counting)
    borrowed, numbers, zeros = Borrowed(), np.linspace(0.0, 1.0, n), np.zeros(n)
    with GradientTape() as tape:
        x, z = tape.watch(borrowed.lift(numbers)), borrowed.lift(zeros)
        for i in range(n):
            z[i] = x[i] * 2.0 + (z[i - 1] * 0.5 if i else 0.0)
        loss = np.sum(z)
    monkeypatch.setattr(storage.Storage, "copy_buffer", original)
    cleared = count_calls(monkeypatch, structure, "_zero_item")
    full = count_calls(monkeypatch, structure.np, "zeros")
    gradient = tape.gradient(loss, x)
    swept = sum(int(np.prod(args[0])) for args in full) + sum(args[0].size for args in cleared)
    assert gradient[-1] == 2.0
    return elements, swept


def test_a_fill_loop_is_linear(monkeypatch):
    for n in (100, 1000):
        forward, swept = fill_loop_copies(n, monkeypatch)
        assert forward <= 8 * n
        assert swept <= 8 * n


@pytest.mark.parametrize("is_watched", [True, False])
@pytest.mark.parametrize("part", [0, -1, slice(1, 3), slice(None, None, -2), slice(3, 3)], ids=str)
def test_parts_that_were_read_before_the_first_write(part, is_watched, monkeypatch):
    rows, w = np.arange(12.0).reshape(4, 3), np.array([2.0, 3.0, 5.0])
    copies = count_calls(monkeypatch, storage, "copy_of")
    borrowed = Borrowed()
    with GradientTape() as tape:
        table, x = borrowed.lift(rows), tape.watch(borrowed.lift(w))
        if is_watched:
            tape.watch(table)
        one = table[part]
        y = np.sum(one * x)
        before = len(copies)
        table[...] = 100.0
        one[...] = 7.0
        y = y + np.sum(table * x) + np.sum(one * x)
    assert before == 0
    plain = np.arange(12.0).reshape(4, 3)
    first = plain[part].copy()
    plain[...] = 100.0
    plain[part] = 7.0
    wanted = (first.reshape(-1, 3) + plain[part].reshape(-1, 3)).sum(0) + plain.sum(0)
    np.testing.assert_array_equal(tape.gradient(y, x), wanted)


def test_reading_rows_copies_nothing_and_writing_copies_once(monkeypatch):
    copies = count_calls(monkeypatch, storage, "copy_of")
    borrowed, rows, w = Borrowed(), np.ones((50, 3)), np.ones(3)
    with GradientTape() as tape:
        table, x = borrowed.lift(rows), tape.watch(borrowed.lift(w))
        y = sum(np.sum(row * x) for row in table)
        wholes = count_calls(monkeypatch, storage.Storage, "copy_buffer")
        for row in table:
            row[0] = 2.0
            y = y + np.sum(row * x)
    assert len(wholes) == 1
    assert len(copies) <= 50  # of what is read after the first write
    np.testing.assert_array_equal(tape.gradient(y, x), [150.0, 100.0, 100.0])


@pytest.mark.parametrize("is_watched", [True, False])
@pytest.mark.parametrize("index", [0, slice(0, 1), slice(None)], ids=str)
def test_parts_of_a_read_only_array_are_read_only(index, is_watched):
    x = np.ones((2, 3))
    x.flags.writeable = False
    with GradientTape() as tape:
        handle = Borrowed().lift(x)
        if is_watched:
            tape.watch(handle)
        part = handle[index]
        assert not part.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            part[...] = 1.0


def test_reading_elements_of_a_written_constant_copies_nothing(monkeypatch):
    borrowed = Borrowed()
    copies = count_calls(monkeypatch, storage, "copy_of")
    two, numbers = np.array([2.0]), np.arange(100.0)
    with GradientTape() as tape:
        x = tape.watch(borrowed.lift(two))
        table = borrowed.lift(numbers)
        table[0] = 5.0
        view = table[1:]
        loss = sum(view[i] * x[0] for i in range(50))
    assert len(copies) <= 3
    assert tape.gradient(loss, x) == [float(np.sum(np.arange(1.0, 51.0)))]


@pytest.mark.parametrize("index", [[0, 2], [True, False, True], slice(None, None, 2)], ids=str)
def test_writes_through_views_in_single_precision(index):
    with GradientTape() as tape:
        x, s = tape.watch(np.float32([0.5, 0.25, -0.75])), tape.watch(0.5652630653810872)
        w = x * 2
        w[:, None][index] *= s
        loss = np.sum(w * s)
    by_x, by_s = tape.gradient(loss, [x, s])
    s = 0.5652630653810872
    np.testing.assert_allclose(by_x, [2 * s * s, 2 * s, 2 * s * s], rtol=1e-6)
    np.testing.assert_allclose(by_s, 2 * s * 2 * (0.5 - 0.75) + 2 * 0.25, rtol=1e-5)


def test_flat_takes_an_overlapping_view_as_numpy_does():
    def run(x, view):
        part = view[1:]
        part *= 0.8
        part.flat = view.view()  # reads what it has written
        return x

    plain = np.arange(1.0, 6.0)
    expected = run(plain, plain[::2])
    x = Variable(np.arange(1.0, 6.0))
    with GradientTape() as tape:
        y = x * 1
        view = tape.watch(y[::2])  # the values of its handles are copies, which lie otherwise
        loss = np.sum(run(y, view))
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(tape.gradient(loss, x), [3, 1, 0, 1, 0])


def test_sliding_windows_hang_on_the_part_that_they_look_at():
    x = Variable(np.arange(5.0))
    with GradientTape() as tape:
        part = (x * 2)[1:]
        loss = np.sum(np.lib.stride_tricks.sliding_window_view(part, 2) ** 2)
    np.testing.assert_array_equal(tape.gradient(loss, part), [4, 16, 24, 16])


def test_strided_windows_hang_on_the_part_whose_elements_they_show():
    x = Variable(np.arange(6.0))
    with GradientTape() as tape:
        part = (x * 2)[::-1][:4]
        shown = np.lib.stride_tricks.as_strided(part, (2, 2), (part.strides[0], 0))
        loss = np.sum(shown**2)
    np.testing.assert_array_equal(tape.gradient(loss, part), [40, 32, 0, 0])


def test_copyto_of_an_array_to_itself_does_not_mind_that_it_is_read_only():
    x = Variable(np.arange(1.0, 4.0))
    with GradientTape() as tape:
        y = x * 2
        same = np.lib.stride_tricks.sliding_window_view(y, 3).reshape(-1)
        with pytest.raises(ValueError, match="read-only"):
            np.copyto(same, y + 1)
        np.copyto(same, y)
        np.copyto(same, y, where=[True, False, True])
        loss = np.sum(same * y)
    np.testing.assert_array_equal(tape.gradient(loss, x), 8 * x.numpy())
