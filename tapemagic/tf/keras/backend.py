"""`tf.keras.backend`: a few facts, and the functions that losses of older tutorials use."""

from __future__ import annotations

from typing import Any

from tapemagic.tf import advice, creation, linalg, nn, picking, random
from tapemagic.tf.arithmetic import FUNCTIONS as ARITHMETIC
from tapemagic.tf.conversion import operand
from tapemagic.tf.reductions import FUNCTIONS as REDUCTIONS
from tapemagic.tf.shaping import FUNCTIONS as SHAPING
from tapemagic.tf.tape import stop_gradient
from tapemagic.tf.variable import Variable

from . import weights
from .floats import floatx, set_floatx  # noqa: F401  (names of this module)
from .loss import EPSILON

clear_session = weights.clear_session


#: Keras' names of functions -> TensorFlow's; the first argument and the axis are the same.
_FUNCTIONS = {
    "abs": ARITHMETIC["abs"], "all": REDUCTIONS["reduce_all"], "any": REDUCTIONS["reduce_any"],
    "cast": creation.cast,
    "clip": ARITHMETIC["clip_by_value"], "cos": ARITHMETIC["cos"],
    "cumprod": REDUCTIONS["cumprod"], "cumsum": REDUCTIONS["cumsum"],
    "equal": ARITHMETIC["equal"], "exp": ARITHMETIC["exp"],
    "gather": picking.gather, "greater": ARITHMETIC["greater"],
    "greater_equal": ARITHMETIC["greater_equal"], "l2_normalize": nn.l2_normalize,
    "less": ARITHMETIC["less"], "less_equal": ARITHMETIC["less_equal"], "log": ARITHMETIC["log"],
    "max": REDUCTIONS["reduce_max"], "maximum": ARITHMETIC["maximum"],
    "mean": REDUCTIONS["reduce_mean"], "min": REDUCTIONS["reduce_min"],
    "minimum": ARITHMETIC["minimum"], "not_equal": ARITHMETIC["not_equal"],
    "one_hot": creation.one_hot, "ones_like": creation.ones_like,
    "permute_dimensions": SHAPING["transpose"], "pow": ARITHMETIC["pow"],
    "prod": REDUCTIONS["reduce_prod"], "random_normal": random.normal,
    "random_uniform": random.uniform, "relu": nn.relu, "reshape": SHAPING["reshape"],
    "round": ARITHMETIC["round"], "shape": SHAPING["shape"], "sigmoid": nn.sigmoid,
    "sign": ARITHMETIC["sign"], "sin": ARITHMETIC["sin"], "softmax": nn.softmax,
    "softplus": nn.softplus, "square": ARITHMETIC["square"],
    "squeeze": SHAPING["squeeze"], "stack": SHAPING["stack"], "std": REDUCTIONS["reduce_std"],
    "stop_gradient": stop_gradient, "sum": REDUCTIONS["reduce_sum"], "tanh": nn.tanh,
    "tile": SHAPING["tile"], "transpose": SHAPING["transpose"],
    "var": REDUCTIONS["reduce_variance"], "variable": Variable,
    "zeros_like": creation.zeros_like,
}  # fmt: skip
globals().update(_FUNCTIONS)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Return the cross entropy of each element."""
    if from_logits:
        return nn.sigmoid_cross_entropy_with_logits(target, output)
    p = ARITHMETIC["clip_by_value"](output, EPSILON, 1 - EPSILON)
    log = ARITHMETIC["log"]
    return -(target * log(p + EPSILON) + (1 - target) * log(1 - p + EPSILON))


def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    """Return for each series how unlikely its probabilities make its labels, [batch, 1].

    The last class is that of no label.
    """
    logs = ARITHMETIC["log"](SHAPING["transpose"](y_pred, [1, 0, 2]) + EPSILON)
    lengths = (SHAPING["squeeze"](x, -1) for x in (label_length, input_length))
    return SHAPING["expand_dims"](nn.ctc_loss(y_true, logs, *lengths, blank_index=-1), 1)


def argmax(x: Any, axis: int = -1) -> Any:
    """Return the place of the largest element along an axis, the last one if not said."""
    return REDUCTIONS["argmax"](x, axis)


def argmin(x: Any, axis: int = -1) -> Any:
    """Return the place of the least element along an axis, the last one if not said."""
    return REDUCTIONS["argmin"](x, axis)


def concatenate(tensors: Any, axis: int = -1) -> Any:
    """Return tensors joined along an axis, the last one if not said."""
    return SHAPING["concat"](tensors, axis)


def expand_dims(x: Any, axis: int = -1) -> Any:
    """Return a tensor with an axis of length 1 added, behind the others if not said."""
    return SHAPING["expand_dims"](x, axis)


def dot(x: Any, y: Any) -> Any:
    """Return the product of matrices."""
    return linalg.matmul(x, y)


def flatten(x: Any) -> Any:
    """Return all elements in one row."""
    return SHAPING["reshape"](x, [-1])


def batch_flatten(x: Any) -> Any:
    """Return the elements of each example in one row."""
    return SHAPING["reshape"](x, [len(x), -1])


def get_value(x: Any) -> Any:
    """Return the value as a plain array; the gradient ends there."""
    return operand(x).numpy()


def sqrt(x: Any) -> Any:
    """Return the root, 0 for what is negative."""
    return ARITHMETIC["sqrt"](ARITHMETIC["maximum"](x, 0.0))


def set_value(x: Any, value: Any) -> None:
    """Give a variable another value."""
    x.assign(value)


def ndim(x: Any) -> int:
    """Return the number of axes."""
    return len(int_shape(x))


def epsilon() -> float:
    """Return the smallest probability that losses take a logarithm of."""
    return EPSILON


def image_data_format() -> str:
    """Tell that channels come last."""
    return "channels_last"


def int_shape(x: Any) -> tuple[int, ...]:
    """Return the shape as a tuple."""
    return tuple(operand(x).shape)


__getattr__ = advice.missing("tf.keras.backend")
