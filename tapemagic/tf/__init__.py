"""The TensorFlow spelling: GradientTape tutorials with only their import line changed.

    from tapemagic import tf

Values, dtypes (float32 by default) and prints are TensorFlow 2.21's; the tape is tapemagic's.
Random numbers have TensorFlow's distributions and not its sequences. A name that is not here
raises an AttributeError that says how to do it with NumPy.

    x = tf.Variable(-2.0)
    with tf.GradientTape() as tape:
        y = x ** 2
    print(tape.gradient(y, x))  # tf.Tensor(-4.0, shape=(), dtype=float32)
"""

from typing import Any

from . import (
    advice,
    arithmetic,
    autodiff,
    config,
    counting,
    data,
    debugging,
    dtypes,
    errors,
    image,
    keras,
    linalg,
    math,
    nest,
    nn,
    parts,
    picking,
    random,
    reductions,
    scopes,
    shaping,
    signal,
    sparse,
    train,
)  # fmt: skip
from .config import device
from .control import (
    case,
    cond,
    foldl,
    foldr,
    function,
    map_fn,
    scan,
    switch_case,
    vectorized_map,
    while_loop,
)  # fmt: skip
from .conversion import convert_to_tensor
from .creation import (
    cast,
    complex,
    constant,
    eye,
    fill,
    identity,
    is_tensor,
    linspace,
    meshgrid,
    one_hot,
    ones,
    ones_like,
    range,
    zeros,
    zeros_like,
)  # fmt: skip
from .debugging import Assert, assert_equal, assert_greater, assert_less, assert_rank
from .graphs import (
    control_dependencies,
    get_logger,
    get_static_value,
    group,
    identity_n,
    init_scope,
    no_op,
    numpy_function,
    py_function,
    timestamp,
)  # fmt: skip
from .keras import initializers, losses, metrics, optimizers
from .linalg import eig, eigvals, einsum, matmul, tensordot
from .module import Module
from .printing import print_ as print
from .sparse import SparseTensor
from .specs import (
    DType,
    TensorShape,
    TensorSpec,
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
from .tape import (
    GradientTape,
    UnconnectedGradients,
    custom_gradient,
    grad_pass_through,
    recompute_grad,
    stop_gradient,
)  # fmt: skip
from .tensor import Tensor
from .tensor_array import TensorArray
from .variable import Variable

globals().update(arithmetic.FUNCTIONS)
globals().update(reductions.FUNCTIONS)
globals().update(shaping.FUNCTIONS)
globals().update(picking.FUNCTIONS, **parts.FUNCTIONS, **counting.FUNCTIONS)

newaxis = None
name_scope = scopes.NameScope
constant_initializer = initializers.Constant
ones_initializer = initializers.Ones
random_normal_initializer = initializers.RandomNormal
random_uniform_initializer = initializers.RandomUniform
zeros_initializer = initializers.Zeros
__version__ = "2.21.0+tapemagic"  # the TensorFlow whose behaviour this follows
version = advice.Names("tf.version", VERSION=__version__, GIT_VERSION=__version__)


def executing_eagerly() -> Any:
    """Tell that code runs line by line, which it always does."""
    return True


__getattr__ = advice.missing("tf")
