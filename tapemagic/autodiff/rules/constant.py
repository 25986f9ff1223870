"""Functions without a derivative: questions about arrays, text, files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.primitives import composite, constant, refuse

constant(
    np.allclose, np.isclose, np.array_equal, np.array_equiv, np.isneginf, np.isposinf,
    np.iscomplex, np.isreal,
)  # fmt: skip


if hasattr(np, "in1d"):  # before NumPy 2.4
    constant(np.in1d)  # noqa: NPY201


def _fact(fun: Callable) -> None:
    """Declare a question about shape, type or memory: no value is lost, so nothing is noted."""

    def body(*args: Any, **kwargs: Any) -> Any:
        return fun(*dispatch.plain(args), **dispatch.plain(kwargs))

    composite(fun, body)


_fun: Any
for _fun in (
    np.shape, np.ndim, np.size, np.broadcast_shapes, np.iscomplexobj, np.isrealobj, np.result_type,
    np.common_type, np.can_cast, np.min_scalar_type, np.shares_memory, np.may_share_memory,
    np.einsum_path,
):  # fmt: skip
    _fact(_fun)


def _shown(fun: Callable) -> None:
    """Declare a function that shows or saves: it gets the plain value, and the line is noted."""

    def body(*args: Any, **kwargs: Any) -> Any:
        args = tuple(map(_show, args))
        return fun(*args, **{key: _show(value) for key, value in kwargs.items()})

    composite(fun, body)


def _show(x: Any) -> Any:
    return leaks.shown(x) if dispatch.is_traced(x) else x


for _fun in (
    np.array2string, np.array_repr, np.array_str,
    np.save, np.savetxt, np.savez, np.savez_compressed,
):  # fmt: skip
    _shown(_fun)

for _fun in (
    np.packbits, np.unpackbits, np.busday_count, np.busday_offset, np.is_busday,
    np.datetime_as_string,
):  # fmt: skip
    refuse(_fun, "it works on bits, dates or bytes, not on real numbers")
