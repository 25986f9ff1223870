"""Names of TensorFlow that are not here: what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_DATA = "NumPy arrays and plain Python loops over slices: for start in range(0, len(x), batch)"
_LAYERS = "tf.Variable weights and x @ w + b, kept in a tf.Module"
_WINDOWS = "np.lib.stride_tricks.sliding_window_view and np.einsum in a %%tape cell"
_GRAPH = "nothing: code runs eagerly, line by line"
_RAGGED = "a list of tensors, or np.nan and a mask for what is missing"

#: Full TensorFlow name -> the NumPy way.
WAYS = {
    "tf.data": _DATA,
    "tf.keras.layers": _LAYERS,
    "tf.keras.Sequential": _LAYERS,
    "tf.keras.Model": _LAYERS,
    "tf.keras.models": _LAYERS,
    "tf.keras.Input": _LAYERS,
    "tf.keras.datasets": "sklearn.datasets or np.load",
    "tf.keras.preprocessing": _DATA,
    "tf.keras.utils": "np.eye(n)[labels] for to_categorical",
    "tf.keras.initializers": "tf.random.normal(shape, stddev=...) or rng.normal(size=shape)",
    "tf.keras.regularizers": "tf.nn.l2_loss(w), added to the loss",
    "tf.keras.backend": "the functions of tf, tf.math and tf.nn",
    "tf.keras.callbacks": "plain Python in the training loop",
    "tf.keras.applications": "TensorFlow itself: trained networks do not come with tapemagic",
    "tf.nn.conv1d": _WINDOWS,
    "tf.nn.conv2d": _WINDOWS,
    "tf.nn.conv3d": _WINDOWS,
    "tf.nn.depthwise_conv2d": _WINDOWS,
    "tf.nn.max_pool": _WINDOWS,
    "tf.nn.max_pool2d": _WINDOWS,
    "tf.nn.avg_pool": _WINDOWS,
    "tf.nn.avg_pool2d": _WINDOWS,
    "tf.nn.pool": _WINDOWS,
    "tf.nn.ctc_loss": "TensorFlow itself",
    "tf.math.lgamma": "scipy.special.gammaln in a %%tape cell",
    "tf.math.digamma": "scipy.special.digamma in a %%tape cell",
    "tf.math.erfinv": "scipy.special.erfinv in a %%tape cell",
    "tf.math.erfc": "1 - tf.math.erf(x)",
    "tf.math.bincount": "np.bincount in a %%tape cell",
    "tf.math.segment_sum": "np.add.at(zeros, segment_ids, x) in a %%tape cell",
    "tf.math.unsorted_segment_sum": "np.add.at(zeros, segment_ids, x) in a %%tape cell",
    "tf.linalg.lstsq": "np.linalg.lstsq in a %%tape cell",
    "tf.linalg.eig": "np.linalg.eig in a %%tape cell",
    "tf.signal": "np.fft in a %%tape cell",
    "tf.image": "NumPy indexing: x[::2, ::2], x[:, ::-1], np.pad",
    "tf.io": "np.load, open or pathlib",
    "tf.strings": "Python's str",
    "tf.string": "Python's str",
    "tf.summary": "lists of numbers and matplotlib",
    "tf.train": "np.savez(file, *[v.numpy() for v in variables]) and tf.keras.optimizers",
    "tf.saved_model": "np.savez(file, *[v.numpy() for v in variables])",
    "tf.config": _GRAPH,
    "tf.device": _GRAPH,
    "tf.distribute": _GRAPH,
    "tf.autograph": _GRAPH,
    "tf.Graph": _GRAPH,
    "tf.compat": "the names of TensorFlow 2",
    "tf.Session": "the names of TensorFlow 2: values are computed at once",
    "tf.placeholder": "the names of TensorFlow 2: functions with arguments",
    "tf.gradients": "with tf.GradientTape() as tape: ... and tape.gradient(target, sources)",
    "tf.hessians": "two nested tapes, or tapemagic.hessian(f)",
    "tf.IndexedSlices": "dense gradients: tape.gradient gives tensors",
    "tf.RaggedTensor": _RAGGED,
    "tf.ragged": _RAGGED,
    "tf.SparseTensor": "dense tensors",
    "tf.sparse": "dense tensors",
    "tf.TensorArray": "a Python list and tf.stack",
    "tf.scan": "a Python loop, a list and tf.stack",
    "tf.foldl": "a Python loop",
    "tf.py_function": "the function itself",
    "tf.numpy_function": "the function itself",
    "tf.bfloat16": "tf.float32",
    "tf.qint8": "tf.int8",
    "tf.bitcast": "x.view(dtype) of a NumPy array",
    "tf.histogram_fixed_width": "np.histogram of x.numpy()",
    "tf.random.categorical": "rng.choice(n, p=probabilities)",
    "tf.random.gamma": "rng.gamma(shape, size=...)",
    "tf.random.poisson": "rng.poisson(rate, size=...)",
    "tf.random.stateless_normal": "tf.random.Generator.from_seed(seed).normal(shape)",
    "tf.random.stateless_uniform": "tf.random.Generator.from_seed(seed).uniform(shape)",
    "tf.experimental": "np functions in a %%tape cell",
}  # fmt: skip


def missing(module: str) -> Callable[[str], Any]:
    """Return a module's ``__getattr__``: an AttributeError that names the NumPy way.

    Examples
    --------
    >>> missing("tf")("SparseTensor")
    Traceback (most recent call last):
    AttributeError: tf.SparseTensor is not provided. Use dense tensors.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807  (becomes that of a module)
        if name.startswith("__"):  # asked for by tools: imports, doctest, completion
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        full = f"{module}.{name}"
        known = f"np.{name} in a %%tape cell"
        other = known if hasattr(np, name) else "NumPy's functions in a %%tape cell"
        way = WAYS.get(full, other)
        raise AttributeError(f"{full} is not provided. Use {way}.")

    return __getattr__
