"""`tf.debugging`: assertions about values, dtypes and shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TensorError

from . import advice
from .conversion import match, operand
from .specs import as_dtype
from .tensor import Tensor, dtype_of, tensor_of


def _require(holds: Any, what: str, message: Any) -> None:
    if not holds:
        raise leaks.locate(TensorError(f"{message} : {what}" if message else what))


def assert_near(
    x: Any, y: Any, rtol: Any = None, atol: Any = None, message: Any = None,
    summarize: Any = None, name: Any = None,
) -> None:  # fmt: skip
    """Raise InvalidArgumentError if two tensors differ by more than rounding."""
    x, y = np.asarray(plain(operand(x))), np.asarray(plain(operand(y)))
    tolerance = 10 * np.finfo(x.dtype).eps
    limits = {
        "rtol": tolerance if rtol is None else rtol,
        "atol": tolerance if atol is None else atol,
    }
    _require(np.allclose(x, y, **limits), f"x and y are not near: {x} and {y}.", message)


def _of_pairs(name: str, ufunc: np.ufunc) -> Callable:
    def function(
        x: Any, y: Any, message: Any = None, summarize: Any = None, name: Any = None
    ) -> None:
        x, y = map(plain, match((x, y), function.__name__))
        try:
            holds: Any = np.all(ufunc(x, y))
        except ValueError:  # shapes that do not meet
            holds = False
        _require(holds, f"{function.__name__} of x and y does not hold: {x} and {y}.", message)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Raise InvalidArgumentError unless `{ufunc.__name__}` holds everywhere."
    return function


assert_equal = _of_pairs("assert_equal", np.equal)
assert_none_equal = _of_pairs("assert_none_equal", np.not_equal)
assert_less = _of_pairs("assert_less", np.less)
assert_less_equal = _of_pairs("assert_less_equal", np.less_equal)
assert_greater = _of_pairs("assert_greater", np.greater)
assert_greater_equal = _of_pairs("assert_greater_equal", np.greater_equal)


def _beside_zero(name: str, assertion: Callable) -> Callable:
    def function(x: Any, message: Any = None, summarize: Any = None, name: Any = None) -> None:
        assertion(operand(x), 0, message or f"{function.__name__} does not hold")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`{assertion.__name__}` of a tensor and 0."
    return function


assert_positive = _beside_zero("assert_positive", assert_greater)
assert_negative = _beside_zero("assert_negative", assert_less)
assert_non_negative = _beside_zero("assert_non_negative", assert_greater_equal)
assert_non_positive = _beside_zero("assert_non_positive", assert_less_equal)


def assert_rank(x: Any, rank: Any, message: Any = None, name: Any = None) -> None:
    """Raise unless a tensor has so many axes."""
    assert_rank_in(x, [rank], message)


def assert_rank_at_least(x: Any, rank: Any, message: Any = None, name: Any = None) -> None:
    """Raise unless a tensor has at least so many axes."""
    found = np.ndim(plain(x))
    _require(found >= plain(rank), f"The tensor has {found} axes, not {rank} or more.", message)


def assert_rank_in(x: Any, ranks: Any, message: Any = None, name: Any = None) -> None:
    """Raise unless a tensor has one of some numbers of axes."""
    found = np.ndim(plain(x))
    wanted = [int(plain(rank)) for rank in ranks]
    _require(found in wanted, f"The tensor has {found} axes, not {wanted}.", message)


def assert_scalar(tensor: Any, name: Any = None, message: Any = None) -> Any:
    """Raise unless a tensor is a single number; return it."""
    assert_rank(tensor, 0, message)
    return tensor


def assert_integer(x: Any, message: Any = None, name: Any = None) -> None:
    """Raise unless a tensor is of integers."""
    found = dtype_of(operand(x))
    _require(found.kind in "iu", f"The tensor is of {found}, not of integers.", message)


def assert_type(tensor: Any, tf_type: Any, message: Any = None, name: Any = None) -> None:
    """Raise unless a tensor is of a dtype."""
    found = dtype_of(operand(tensor))
    _require(as_dtype(tf_type) == found, f"The tensor is of {found}, not {tf_type}.", message)


def assert_shapes(
    shapes: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None
) -> None:
    """Raise unless tensors are of shapes; a letter stands for the same length everywhere."""
    lengths: dict[Any, int] = {}
    for x, wanted in shapes.items() if hasattr(shapes, "items") else shapes:
        found = np.shape(plain(x.deref() if hasattr(x, "deref") else x))
        fits = len(found) == len(wanted)
        for length, given in zip(found, wanted, strict=False):
            if given is not None and given not in (".", "?"):
                known = given if isinstance(given, int) else lengths.setdefault(given, length)
                fits = fits and known == length
        _require(fits, f"A tensor of shape {found} is not of shape {tuple(wanted)}.", message)


def assert_all_finite(x: Any, message: str = "", name: Any = None) -> Tensor:
    """Raise InvalidArgumentError if an element is nan or infinite; return the tensor."""
    x = operand(x)
    _require(np.isfinite(plain(x)).all(), "Tensor had NaN or Inf values", message)
    return tensor_of(x)


def Assert(condition: Any, data: Any, summarize: Any = None, name: Any = None) -> None:  # noqa: N802
    """Raise InvalidArgumentError unless a condition holds; `data` is in its text."""
    shown = [x if isinstance(x, str) else str(plain(x)) for x in data]
    _require(np.all(plain(condition)), f"assertion failed: {shown}", None)


check_numerics = assert_all_finite
__getattr__ = advice.missing("tf.debugging")
