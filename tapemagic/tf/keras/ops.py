"""`tf.keras.ops`: functions of `tf` under NumPy's names, as Keras 3 calls them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.tf import (
    advice,
    arithmetic,
    conversion,
    creation,
    linalg,
    nn,
    picking,
    reductions,
    segments,
    shaping,
    special,
    specs,
    tape,
)  # fmt: skip
from tapemagic.tf import image as tf_image

from . import activations, neural_ops
from .functional import KerasTensor, connect, is_connected

_TF = {
    **arithmetic.FUNCTIONS, **shaping.FUNCTIONS, **picking.FUNCTIONS, **reductions.FUNCTIONS,
    **segments.FUNCTIONS, **special.FUNCTIONS,
}  # fmt: skip
#: Keras's name -> TensorFlow's, where they differ.
_RENAMED = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh",
    "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh",
    "floor_divide": "floordiv", "true_divide": "truediv",
    "isfinite": "is_finite", "isinf": "is_inf", "isnan": "is_nan", "mod": "floormod",
    "power": "pow",    "clip": "clip_by_value",
    "max": "reduce_max", "min": "reduce_min",
    "prod": "reduce_prod", "any": "reduce_any",
    "all": "reduce_all", "logsumexp": "reduce_logsumexp",
}  # fmt: skip
_SAME = (
    "abs", "add", "argsort", "broadcast_to", "ceil", "conj", "cos", "cosh",
    "divide", "divide_no_nan", "equal", "erf", "erfinv", "exp",
    "expand_dims", "expm1", "floor", "greater", "greater_equal", "imag", "less", "less_equal",
    "log", "log1p", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum",
    "minimum", "multiply", "negative", "not_equal", "pad", "real", "reciprocal", "repeat",
    "reshape", "round", "rsqrt", "sign", "sin",
    "sinh", "size", "sort", "sqrt", "square", "squeeze", "stack", "subtract", "tan",
    "tanh", "transpose", "unstack",
)  # fmt: skip
globals().update({name: _TF[name] for name in _SAME})
globals().update({name: _TF[tfs] for name, tfs in _RENAMED.items()})
globals().update(neural_ops.FUNCTIONS)
image = advice.Names("tf.keras.ops.image", resize=tf_image.resize)

stop_gradient = tape.stop_gradient
cast, convert_to_tensor = creation.cast, conversion.convert_to_tensor
eye = creation.eye
ones, ones_like, zeros, zeros_like = (
    creation.ones, creation.ones_like, creation.zeros, creation.zeros_like,
)  # fmt: skip
one_hot, in_top_k, top_k = creation.one_hot, nn.in_top_k, nn.top_k
det, einsum, inv, norm, qr, solve = (
    linalg.det, linalg.einsum, linalg.inv, linalg.norm, linalg.qr, linalg.solve,
)  # fmt: skip
elu, leaky_relu, log_sigmoid = activations.elu, activations.leaky_relu, _TF["log_sigmoid"]
log_softmax, relu, relu6, selu = nn.log_softmax, nn.relu, nn.relu6, nn.selu
sigmoid, silu, softmax, softplus = nn.sigmoid, nn.silu, nn.softmax, nn.softplus
softsign, swish = nn.softsign, nn.silu


def matmul(x1: Any, x2: Any) -> Any:
    """Return the product of matrices, or of stacks of them."""
    return linalg.matmul(x1, x2)


def argmax(x: Any, axis: Any = None) -> Any:
    """Return the places of the largest elements along an axis, or of all."""
    flat = _TF["reshape"](x, -1) if axis is None else x
    return _TF["argmax"](flat, axis, output_type=specs.int32)


def argmin(x: Any, axis: Any = None) -> Any:
    """Return the places of the smallest elements along an axis, or of all."""
    return argmax(-conversion.operand(x), axis)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """Return numbers from `start` up to, without, `stop`."""
    return creation.range(start, stop, step, dtype)


def concatenate(xs: Any, axis: int = 0) -> Any:
    """Return tensors joined along an axis."""
    return _TF["concat"](xs, axis)


def take(x: Any, indices: Any, axis: Any = None) -> Any:
    """Return elements at places, of all of them if no axis is given."""
    return _TF["gather"](
        shaping.FUNCTIONS["reshape"](x, -1) if axis is None else x, indices, axis=axis
    )


#: Keras's keywords -> TensorFlow's, beside those of the first arguments.
_KEYWORDS = {
    "axes": "perm", "newshape": "shape", "num_classes": "depth", "pad_width": "paddings",
    "x_max": "clip_value_max", "x_min": "clip_value_min",
}  # fmt: skip


def _connecting(fun: Callable) -> Callable:
    """Let a function be called by Keras's keywords, and be connected, as a layer is."""
    known = inspect.signature(fun).parameters
    first = [name for name in ("x", "x1", "x2") if name not in known]
    renamed = {k: name for k, name in _KEYWORDS.items() if k not in known and name in known}

    @functools.wraps(fun)
    def function(*args: Any, **kwargs: Any) -> Any:
        args += tuple(kwargs.pop(name) for name in first if name in kwargs)
        kwargs = {renamed.get(name, name): x for name, x in kwargs.items()}
        if is_connected(*args, *kwargs.values()):
            return connect(fun, args, kwargs)
        return fun(*args, **kwargs)

    return function


def shape(x: Any) -> tuple:
    """Return the lengths of the axes as a tuple, None for what is not known."""
    return tuple(x.shape if isinstance(x, KerasTensor) else np.shape(plain(x)))


_AS_THEY_ARE = (connect, is_connected, shape)

for _name, _fun in list(globals().items()):
    if isinstance(_fun, FunctionType) and _name[0] != "_" and _fun not in _AS_THEY_ARE:
        globals()[_name] = _connecting(_fun)

__getattr__ = advice.missing("tf.keras.ops")
