"""The statements that random programs are made of: each row gives the text of one, or None."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

Arrays = dict[str, Any]

_UNARY = (
    "np.sin({})", "np.cos({})", "np.tanh({})", "np.exp(0.3 * {})", "np.sqrt({0} * {0} + 1.0)",
    "np.square({})", "-{}", "{} ** 2", "{} ** 3", "1.0 / ({0} * {0} + 2.0)", "np.arctan({})",
    "np.log({0} * {0} + 1.0)", "np.abs({})", "2.0 * {}", "{} - 1.0", "0.5 - {}", "{} / 2",
    "np.float64(1.5) * {}", "+{}", "np.negative({})", "np.expm1(0.2 * {})", "3 * {}",
    "np.power(1.0 + {0} * {0}, 0.3)", "1.5 ** {}", "np.sqrt(np.maximum({} - 0.37, 0.0))",
    "-np.sqrt(-np.fmin({} + 0.37, 0))",
)  # fmt: skip
_BINARY = (
    "{} + {}", "{} - {}", "{} * {}", "{0} / ({1} * {1} + 1.0)", "np.add({}, {})",
    "np.multiply({}, {})", "np.maximum({}, {})", "np.minimum({}, {})", "np.arctan2({0}, {1} + 3.0)",
    "np.where({0} > {1}, {0}, 0.5 * {1})", "np.hypot({}, {})", "np.outer({}, {})", "{} @ {}",
    "np.dot({}, {})", "np.subtract({}, {})", "np.where({0} > 0, {0}, {1})", "np.logaddexp({}, {})",
)  # fmt: skip
#: Views (and a few copies) of one array; tried in turn until NumPy accepts one.
_VIEWS = (
    "{}[1:]", "{}[:-1]", "{}[::-1]", "{}[::2]", "{}[::-2]", "{}[0]", "{}[-1]", "{}[..., 0]",
    "{}[:, 1]", "{}[:, ::-1]", "{}[1:, 1:]", "{}.T", "np.transpose({})", "{}.reshape(-1)",
    "{}.ravel()", "np.ravel({})", "{}.swapaxes(0, 1)", "{}[None]", "{}[:, None]", "{}[...]",
    "{}[()]", "np.asarray({})", "{}.view()", "np.flip({})", "np.diagonal({})",
    "np.expand_dims({}, 0)", "np.moveaxis({}, 0, -1)", "np.squeeze({})", "np.atleast_2d({})",
    "np.broadcast_to({0}, (2,) + {0}.shape)", "{0}.reshape({0}.shape[::-1])", "{}[2:0:-1]",
    "np.lib.stride_tricks.sliding_window_view({}, 2)", "{}.copy()", "{}.flatten()", "{}.real",
    "{}.imag", "np.split({}, 2)[0]", "{}.reshape(2, -1)", "{}.reshape(-1, 2).T", "{}.T[0]",
    "{0}[0:{0}.shape[0]]", "{}.ravel(order='F')", "{}.reshape(-1, order='F')", "np.fliplr({})",
    "np.rot90({})", "np.swapaxes({}, 0, -1)", "{}.transpose()", "{}.squeeze()", "{}.diagonal()",
)  # fmt: skip
_GATHERS = (
    "{}[[0, 2, 0]]", "{}[range(2)]", "{}[[1, -1]]", "{}[np.array([1, 0, 1])]", "{0}[{0} > 0]",
    "{}[[0, 1], [1, 0]]", "{} * range(1, 4)",
    "{}[1:, [0, 1, 1]]", "np.take({}, [0, 1, 1])", "{}[np.array([[0, 1], [1, 1]])]",
    "{}[:, [1, 0]]", "np.repeat({}, 2)", "np.tile({}, 2)", "np.roll({}, 1)", "{}[[True, False, True]]",
    "{}[None, [0, 1]]", "np.compress([True, False, True], {})", "np.take({}, [1, 0], axis=-1)",
)  # fmt: skip
_REDUCTIONS = (
    "{}.sum()", "{}.sum(axis=0)", "np.sum({}, axis=-1, keepdims=True)", "{}.mean()", "np.max({})",
    "np.mean({}, axis=0)", "{}.min()", "np.prod({})", "np.cumsum({})", "np.linalg.norm({})",
    "{}.std()", "np.var({})", "np.cumsum({}, axis=0)", "np.diff({})", "sum({})",
    "np.add.reduce({})", "np.einsum('i,i->', {0}, {0})", "np.einsum('...i->i...', {})",
    "np.sort({})", "{}.max(axis=0)", "np.trace({})", "np.ptp({})",
)  # fmt: skip
_CREATIONS = (
    "np.zeros(3)", "np.zeros((2, 3))", "np.ones(4)", "np.full(3, 0.5)", "np.zeros_like({})",
    "np.ones_like({})", "np.zeros_like({}) + 0.2", "np.array([{0}.sum(), 1.0, {0}.mean()])",
    "np.stack([{0}, 2 * {0}])", "np.concatenate([{0}, {0}])", "np.arange(3.0)", "np.eye(3)",
    "np.array([{0}, {0}])", "np.linspace(0.0, 1.0, 4)", "np.zeros(3, dtype=complex)",
    "np.array({})", "np.full(2, {0}.sum())", "np.vstack([{0}, {0}])", "np.full_like({}, 0.3)",
)  # fmt: skip
_INDICES = (
    "[0]", "[-1]", "[1:]", "[:-1]", "[::2]", "[::-1]", "[...]", "[:]", "[0, 1]", "[:, 0]", "[1, :]",
    "[[0, 2]]", "[range(2)]", "[[0, 0, 1]]", "[np.array([1, 0])]", "[:, [0, 1]]", "[..., -1]", "[[0, 1], [1, 0]]",
    "[1:, 0]", "[()]", "[None]", "[:, None]", "[0, ...]", "[[True, False, True]]", "[0:0]",
)  # fmt: skip
_LOOPS = (
    "for i in range(len({0})):\n    {0}[i] = {0}[i] * 0.5 + {1}.sum() * 0.1",
    "for i in range(1, len({0})):\n    {0}[i] += 0.5 * {0}[i - 1]",
    "for i in range(3):\n    {0} = np.tanh({0}) + 0.1 * i",
    "for i in range(2):\n    {0} += 0.3 * {1}",
    "for row in {0}:\n    row *= 0.7",
    "for i, item in enumerate({0}):\n    {1}[i] = item * item",
    "i = 0\nwhile i < 2:\n    {0}[i] = np.sin({0}[i]) + {1}[-1]\n    i += 1",
    "{2} = np.zeros(len({0}))\nfor i in range(len({0})):\n    {2}[i] = {0}[i].sum() * {1}.mean()",
    "{2} = [0.5 * item for item in {0}]\n{2} = np.stack({2})",
    "{2} = sum(item * (i + 1) for i, item in enumerate({0}))",
    "if {0}.sum() > 0:\n    {0} = {0} * {1}\nelse:\n    {0} = {0} - {1}",
    "if {0}.mean() > 0.1:\n    {0}[0] = 0.25\nelse:\n    {0}[-1] = {1}.sum()",
    "{2} = scale_in_place({0}, 0.8)",
    "{2} = scale_in_place({0}[1:], 0.8)",
    "{2} = filled({0})",
    "{2} = smooth({0})",
    "{2} = recurse({0}, 3)",
    "d = {{'a': {0}, 'b': [{1}]}}\n{2} = d['a'] * d['b'][0]\nd['b'][0] *= 0.5",
    "d = [{0}, {1}]\nd[0][0] = 0.5 * d[1].sum()\n{2} = d[0]",
    "try:\n    {0}[100] = 1.0\nexcept IndexError:\n    {2} = {0} * 2",
    "{2} = (lambda q: q * q + {1})({0})",
    "{2} = np.zeros(({1}.size, 2))\n{2}[:, 0] = {1}.ravel()\n{2}[:, 1] = {2}[::-1, 0] * 2",
    "{2} = np.empty_like({0})\n{2}[...] = {0} * 0.5", "{2} = np.empty({0}.shape)\n{2}.fill(0.4)",
    "{2} = {0}.copy()\n{2}[0] = 0.0\n{2} = {2} * {0}",
    "{2} = {0} * {1}\n{0} *= 0.5\n{2} += {0}",
    "for i, j in np.ndindex(2, 2):\n    {0}[i, j] = {0}[j, i] * 0.6",
)  # fmt: skip


def _two(rng: random.Random, arrays: Arrays) -> tuple[str, str]:
    names = list(arrays)
    return rng.choice(names), rng.choice(names)


def draw_name(rng: random.Random, arrays: Arrays) -> str:
    """Return the name to bind: mostly a new one."""
    if rng.random() < 0.2:
        return rng.choice(list(arrays))
    taken = set(arrays)
    free = [c for c in "abefghklnopqrtuwz" if c not in taken]
    return rng.choice(free) if free else rng.choice(list(arrays))


def draw_operand(rng: random.Random, arrays: Arrays) -> str:
    """Return a name, or a view of one."""
    name = rng.choice(list(arrays))
    if rng.random() < 0.3:
        view = rng.choice(_VIEWS).format(name)
        return view
    return name


def unary(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    return f"{draw_name(rng, arrays)} = " + rng.choice(_UNARY).format(draw_operand(rng, arrays))


def binary(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    form = rng.choice(_BINARY)
    return f"{draw_name(rng, arrays)} = " + form.format(
        draw_operand(rng, arrays), draw_operand(rng, arrays)
    )


def view(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    return f"{draw_name(rng, arrays)} = " + rng.choice(_VIEWS).format(rng.choice(list(arrays)))


def view_of_view(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    text = rng.choice(_VIEWS).format(rng.choice(list(arrays)))
    return f"{draw_name(rng, arrays)} = " + rng.choice(_VIEWS).format(text)


def gather(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    return f"{draw_name(rng, arrays)} = " + rng.choice(_GATHERS).format(draw_operand(rng, arrays))


def reduction(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    return f"{draw_name(rng, arrays)} = " + rng.choice(_REDUCTIONS).format(
        draw_operand(rng, arrays)
    )


def creation(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    return f"{draw_name(rng, arrays)} = " + rng.choice(_CREATIONS).format(draw_operand(rng, arrays))


def rebind(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    first, second = _two(rng, arrays)
    return rng.choice([f"{first}, {second} = {second}, {first}", f"{first} = {second}"])


def _right(rng: random.Random, arrays: Arrays) -> str:
    """Return what is written: an array, a view, a number or an expression."""
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(["0.0", "1.0", "0.25", "2", "np.float64(0.5)", "[0.1, 0.2]"])
    operand = draw_operand(rng, arrays)
    if kind < 0.5:
        return operand
    if kind < 0.8:
        return rng.choice(_UNARY).format(operand)
    return rng.choice(_BINARY).format(operand, draw_operand(rng, arrays))


def _place(rng: random.Random, arrays: Arrays) -> str:
    """Return an array to write to: a name or a view of one."""
    name = rng.choice([k for k, v in arrays.items() if isinstance(v, np.ndarray)] or list(arrays))
    return rng.choice(_VIEWS).format(name) if rng.random() < 0.35 else name


def item_write(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    symbol = rng.choice(["=", "=", "=", "+=", "*=", "-="])
    return f"{_place(rng, arrays)}{rng.choice(_INDICES)} {symbol} {_right(rng, arrays)}"


def masked_write(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    place = _place(rng, arrays)
    right = rng.choice(
        ["0.25", f"{place}[{place} > 0.2] * 0.5", f"np.sum({draw_operand(rng, arrays)})"]
    )
    if rng.random() < 0.3:  # places that hang on the values, and may be one place several times
        array = draw_operand(rng, arrays)
        place += f"[np.clip({array}, 0, len({place}) - 1).astype(int)]"
        return f"{place} {rng.choice(['=', '+=', '*='])} {array}"
    return f"{place}[{place} > 0.2] {rng.choice(['=', '+=', '*='])} {right}"


def inplace(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    name = rng.choice(list(arrays))
    symbol = rng.choice(["+=", "-=", "*=", "/=", "**="])
    right = {"/=": "2.5", "**=": "2"}.get(symbol) or _right(rng, arrays)
    return f"{name} {symbol} {right}"


def ufunc_out(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    place = _place(rng, arrays)
    one, two = draw_operand(rng, arrays), draw_operand(rng, arrays)
    form = rng.choice(
        [
            "np.add({0}, {1}, out={2})", "np.multiply({0}, {1}, out={2})", "np.sin({0}, out={2})",
            "np.add({0}, {1}, {2})", "np.sin({2}, out={2})", "np.subtract({2}, {0}, out={2})",
            "np.add({0}, {1}, out={2}, where={2} > 0)", "np.copyto({2}, {0})",
            "np.add(2.0, 0.5, out={2}, where={2} > 0)", "np.negative(np.ones(np.shape({2})), {2}, where={2} > 0)",
            "np.add.at({3}, [0, 0, 1], 0.3)", "np.add.at({3}, [0, 1], {0})",
            "np.add.at({3}, (0, [1, 1]), {0}.sum())", "np.subtract.at({3}, [1], 0.5)",
            "{2}.fill({0}.sum())", "{2}.sort()", "np.put({2}, [0, 1], {0})", "{2}.put([1], [0.3])",
            "np.putmask({2}, {2} > 0, 0.1)", "np.fill_diagonal({2}, {0}.sum())",
            "if np.shape({0}) == np.shape({2}) and {2}.flags.writeable:\n    np.cumsum({0}.ravel(), out={2}.ravel())", "np.sum({0}, axis=0, out={2})", "np.matmul({0}, {1}, out={2})",
            "np.copyto({2}, {0}, where={2} > 0)", "np.multiply.at({3}, [0, 0], 0.5)",
            "np.place({2}, {2} > 0, [0.1, 0.2])", "{2}.partition(1)", "np.dot({0}, {1}, out={2})",
            "np.clip({0}, -0.5, 0.5, out={2})", "np.tanh({0}, out={2}[...])",
            "np.take({0}, [0, 1, 0], out={2})", "np.put_along_axis({2}, np.array([0]), 0.4, 0)",
        ]
    )  # fmt: skip
    # ufunc.at does not look whether an array is read-only: NumPy then writes all the same.
    writeable = [k for k, v in arrays.items() if isinstance(v, np.ndarray) and v.flags.writeable]
    if "{3}" in form and not writeable:
        return None
    return form.format(one, two, place, rng.choice(writeable or [place]))


def flat_write(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    place = _place(rng, arrays)
    form = rng.choice(
        [
            "{0}.flat[1] = {1}.sum()",
            "{0}.flat[::2] = 0.3",
            "{0}.flat[[0, 1]] = 0.1",
            "{0}.flat = {1}",
            "{0}.flat[1:3] = {1}.sum()",
            "{0}.flat[-1] *= 0.5",
            "{0}.real = {1}",
            "{0}.imag = {1}",
            "{0}.real[0] = {1}.sum()",
            "{0}.imag[...] = 0.2",
            "{0}.real *= 0.5",
            "{0}.shape = (-1,)",
            "{0}.T[...] *= 0.5",
            "{0}.ravel()[0] = 0.5",
        ]
    )
    return form.format(place, draw_operand(rng, arrays))


def control(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    form = rng.choice(_LOOPS)
    first, second = _two(rng, arrays)
    third = draw_name(rng, arrays)
    if "np.empty" in form and third in (first, second):
        return None  # would read what happened to lie in memory
    return form.format(first, second, third)


STATEMENTS = (
    (unary, 3), (binary, 4), (view, 5), (view_of_view, 2), (gather, 2), (reduction, 2),
    (creation, 2), (rebind, 0.7), (item_write, 6), (masked_write, 1), (inplace, 4), (ufunc_out, 3),
    (flat_write, 2), (control, 3),
)  # fmt: skip
