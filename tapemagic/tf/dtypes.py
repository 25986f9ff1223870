"""`tf.dtypes`: the dtypes, and conversion between them."""

from __future__ import annotations

from . import advice
from .arithmetic import saturate_cast
from .creation import cast, complex
from .specs import (
    DType,
    as_dtype,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)  # fmt: skip
from .specs import bool_ as bool

__all__ = [
    "DType", "as_dtype", "bool", "cast", "complex", "complex64", "complex128", "double", "float16",
    "float32", "float64", "half", "int8", "int16", "int32", "int64", "saturate_cast", "uint8",
    "uint16", "uint32", "uint64",
]  # fmt: skip

__getattr__ = advice.missing("tf.dtypes")
