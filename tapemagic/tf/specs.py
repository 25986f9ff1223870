"""Dtypes, shapes and specs as TensorFlow writes them, for NumPy's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.errors import TensorError


class DType:
    """A NumPy dtype under TensorFlow's name.

    Prints as ``<dtype: 'float32'>``, is equal to NumPy's dtype of that name, and is taken by NumPy
    wherever it takes a dtype.

    Examples
    --------
    >>> import numpy as np
    >>> print(float32)
    <dtype: 'float32'>
    >>> float32 == np.float32
    True
    """

    __slots__ = ("dtype",)

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)

    @property
    def name(self) -> str:
        """The name: ``'float32'``."""
        return self.dtype.name

    @property
    def as_numpy_dtype(self) -> type:
        """NumPy's scalar type."""
        return self.dtype.type

    @property
    def base_dtype(self) -> DType:
        """The dtype itself."""
        return self

    @property
    def real_dtype(self) -> DType:
        """The dtype of the real part."""
        return as_dtype(np.empty(0, self.dtype).real.dtype)

    @property
    def is_floating(self) -> bool:
        """Whether it is real and has fractions."""
        return self.dtype.kind == "f"

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer, signed or not."""
        return self.dtype.kind in "iu"

    @property
    def is_complex(self) -> bool:
        """Whether it is complex."""
        return self.dtype.kind == "c"

    @property
    def is_bool(self) -> bool:
        """Whether it is bool."""
        return self.dtype.kind == "b"

    def is_compatible_with(self, other: Any) -> bool:
        """Tell whether another dtype is the same."""
        return self == as_dtype(other)

    @property
    def size(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    @property
    def min(self) -> Any:
        """Smallest number."""
        return _limits(self.dtype).min

    @property
    def max(self) -> Any:
        """Largest number."""
        return _limits(self.dtype).max

    def __getattr__(self, name: str) -> Any:
        # Rules ask for `kind` and `itemsize`, as of any array's dtype.
        return getattr(self.dtype, name)

    def __eq__(self, other: object) -> bool:
        try:
            return other is not None and np.dtype(other) == self.dtype  # type: ignore[call-overload]
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: {self.name!r}>"

    def __reduce__(self) -> Any:
        return as_dtype, (self.name,)


def _limits(dtype: np.dtype) -> Any:
    return np.finfo(dtype) if dtype.kind in "fc" else np.iinfo(dtype)


float16, float32, float64 = DType("f2"), DType("f4"), DType("f8")
int8, int16, int32, int64 = DType("i1"), DType("i2"), DType("i4"), DType("i8")
uint8, uint16, uint32, uint64 = DType("u1"), DType("u2"), DType("u4"), DType("u8")
complex64, complex128 = DType("c8"), DType("c16")
bool_ = DType("?")
half, double = float16, float64

_BY_DTYPE = {known.dtype: known for known in vars().copy().values() if isinstance(known, DType)}


def as_dtype(dtype: Any) -> DType:
    """Return the `DType` of a NumPy dtype, a name or a Python type (``float`` is float32).

    Raises
    ------
    TensorError
        If there is none, as for text and for policies that mix dtypes.
    """
    if isinstance(dtype, DType):
        return dtype
    if dtype is float:
        return float32
    if dtype is int:
        return int32
    try:
        return _BY_DTYPE[np.dtype(dtype)]
    except (KeyError, TypeError):
        known = ", ".join(one.name for one in _BY_DTYPE.values())
        raise leaks.locate(
            TensorError(f"dtype={dtype!r} is not provided.", fix=f"There are {known}.")
        ) from None


class TensorShape(tuple):
    """A shape: a tuple that prints and answers as TensorFlow's.

    Examples
    --------
    >>> shape = TensorShape([3, 2])
    >>> shape, print(shape), shape.as_list()
    (3, 2)
    (TensorShape([3, 2]), None, [3, 2])
    """

    __slots__ = ()

    def __new__(cls, dims: Any = ()) -> Self:
        """Make a shape of lengths, of one length, or for None one of which nothing is known."""
        if dims is None or isinstance(dims, UnknownShape):
            return super().__new__(UnknownShape)  # type: ignore[return-value]
        return super().__new__(cls, dims if isinstance(dims, Iterable) else (dims,))

    @property
    def rank(self) -> int | None:
        """Number of axes."""
        return len(self)

    @property
    def ndims(self) -> int | None:
        """Number of axes."""
        return self.rank

    dims = property(list)

    def as_list(self) -> list:
        """Return the lengths as a list."""
        return list(self)

    def num_elements(self) -> Any:
        """Return the number of elements, or None if it is not known."""
        if None in self:
            return None
        return int(np.prod(self, dtype=np.int64))

    def is_fully_defined(self) -> bool:
        """Tell whether every length is known, which it is for values that exist."""
        return None not in self

    def is_compatible_with(self, other: Any) -> bool:
        """Tell whether another shape is the same where both are known."""
        other = TensorShape(other)
        if isinstance(other, UnknownShape):
            return True
        return len(self) == len(other) and all(
            a == b or a is None or b is None for a, b in zip(self, other, strict=True)
        )

    def concatenate(self, other: Any) -> TensorShape:
        """Return this shape followed by another."""
        return TensorShape((*self, *TensorShape(other)))

    def with_rank(self, rank: int) -> TensorShape:
        """Return the shape if it has so many axes.

        Raises
        ------
        ValueError
        """
        if len(self) != rank:
            raise ValueError(f"Shape {self} must have rank {rank}")
        return self

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise ValueError unless another shape is the same where both are known."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {TensorShape(other)} are incompatible")

    assert_has_rank = with_rank

    def __bool__(self) -> bool:
        return True  # the number of axes is known: also of a single number

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        return TensorShape(part) if isinstance(key, slice) else part

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (list, tuple)) and tuple(self) == tuple(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return super().__hash__()

    def __repr__(self) -> str:
        return f"TensorShape({list(self)})"

    def __str__(self) -> str:
        return tuple.__repr__(self)


class UnknownShape(TensorShape):
    """A shape of which not even the number of axes is known: ``tf.TensorShape(None)``."""

    __slots__ = ()
    rank = None

    def as_list(self) -> list:
        """Raise ValueError, as everything does that needs to know it."""
        raise ValueError("as_list() is not defined on an unknown TensorShape.")

    def num_elements(self) -> None:
        """Return None."""

    def is_fully_defined(self) -> bool:
        """Return False."""
        return False

    def is_compatible_with(self, other: Any) -> bool:
        """Return True: it may be any shape."""
        return True

    def concatenate(self, other: Any) -> TensorShape:
        """Return an unknown shape."""
        return self

    def with_rank(self, rank: int) -> TensorShape:
        """Return a shape of so many unknown lengths."""
        return TensorShape((None,) * rank)

    def __len__(self) -> int:
        raise ValueError("Cannot take the length of shape with unknown rank.")

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, UnknownShape)

    def __hash__(self) -> int:
        return hash(None)

    def __repr__(self) -> str:
        return "TensorShape(None)"

    def __str__(self) -> str:
        return "<unknown>"


class TensorSpec:
    """A shape and dtype, as `tf.function` takes them; nothing is checked."""

    def __init__(self, shape: Any, dtype: Any = float32, name: str | None = None) -> None:
        self.shape = TensorShape(shape)
        self.dtype, self.name = as_dtype(dtype), name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name={self.name!r})"
