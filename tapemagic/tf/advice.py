"""Names of TensorFlow that are not here: what to write instead."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.errors import MissingNameError

_DATA = "tf.data.Dataset.from_generator(function), with a function that yields the elements"
_LAYERS = "a subclass of tf.keras.layers.Layer, with build and call of your own"
_WINDOWS = "np.lib.stride_tricks.sliding_window_view and np.einsum in a %%tape cell"
_GRAPH = "Leave it out: code runs eagerly, line by line"
_ALL_FLOAT32 = "Leave it out: everything is computed in float32"
_RAGGED = "tf.keras.utils.pad_sequences(rows) and a mask, or a list of tensors"

#: Full TensorFlow name -> the NumPy way.
WAYS = {
    "tf.keras.datasets": "sklearn.datasets or np.load",
    "tf.keras.Variable": "tf.Variable",
    "tf.activations": "tf.keras.activations",
    "tf.keras.callbacks.ModelCheckpoint": "a Callback, with np.savez in on_epoch_end",
    "tf.keras.layers.StringLookup": "Python's dict, of words to numbers",
    "tf.keras.layers.TextVectorization": "Python's str.split, and a dict of words to numbers",
    "tf.keras.mixed_precision": _ALL_FLOAT32,
    "tf.keras.DTypePolicy": _ALL_FLOAT32,
    "tf.keras.backend.set_dtype_policy": _ALL_FLOAT32,
    "tf.keras.optimizers.LossScaleOptimizer": _ALL_FLOAT32,
    "tf.keras.optimizers.legacy": "the optimizers of tf.keras.optimizers",
    "tf.keras.optimizers.experimental": "the optimizers of tf.keras.optimizers",
    "tf.keras.saving": "np.savez(file, *model.get_weights()) and model.set_weights(...)",
    "tf.keras.applications": "TensorFlow itself: trained networks do not come with tapemagic",
    "tf.io": "np.load, open or pathlib",
    "tf.strings": "Python's str",
    "tf.string": "Python's str",
    "tf.data.Dataset.element_spec": "next(iter(dataset)), and the shape and dtype of what it holds",
    "tf.summary": "lists of numbers and matplotlib",
    "tf.saved_model": "np.savez(file, *[v.numpy() for v in variables])",
    "tf.distribute": _GRAPH,
    "tf.autograph": _GRAPH,
    "tf.Graph": _GRAPH,
    "tf.profiler": _GRAPH,
    "tf.xla": _GRAPH,
    "tf.raw_ops": "the function of that name in tf, tf.math or tf.nn",
    "tf.compat": "the names of TensorFlow 2",
    "tf.Session": "the names of TensorFlow 2: values are computed at once",
    "tf.placeholder": "the names of TensorFlow 2: functions with arguments",
    "tf.gradients": "with tf.GradientTape() as tape: ... and tape.gradient(target, sources)",
    "tf.hessians": "two nested tapes, or tapemagic.hessian(f)",
    "tf.IndexedSlices": "dense gradients: tape.gradient gives tensors",
    "tf.RaggedTensor": _RAGGED,
    "tf.ragged": _RAGGED,
    "tf.bfloat16": "tf.float32",
    "tf.qint8": "tf.int8",
    "tf.bitcast": "x.view(dtype) of a NumPy array",
    "tf.test": "tapemagic.check_gradient(f, x) for compute_gradient, np.testing for TestCase",
    "tf.as_string": "str(x.numpy())",
    "tf.bitwise": "np.bitwise_and and its kin, of x.numpy()",
    "tf.lookup": "a Python dict",
    "tf.no_gradient": "tf.stop_gradient(x)",
    "tf.sets": "Python's set",
    "tf.types": "Python's typing",
    "tf.experimental": "np functions in a %%tape cell",
}  # fmt: skip


#: Module -> what is said of its other names.
OTHERS = {
    "tf.autodiff": "tf.GradientTape or tf.autodiff.ForwardAccumulator",
    "tf.config": _GRAPH,
    "tf.data": _DATA,
    "tf.data.Dataset": _DATA,
    "tf.debugging": "assert: assert bool(tf.reduce_all(x > 0))",
    "tf.dtypes": "tf.float32, tf.float64 or a dtype of NumPy",
    "tf.errors": "tf.errors.InvalidArgumentError",
    "tf.image": "NumPy indexing: x[::2, ::2], x[:, ::-1], np.pad",
    "tf.keras": _LAYERS,
    "tf.keras.activations": "a function of your own, of tf's functions",
    "tf.keras.initializers": "tf.keras.initializers.VarianceScaling or tf.random.normal",
    "tf.keras.layers": _LAYERS,
    "tf.keras.losses": "a function of your own, of tf's functions",
    "tf.keras.metrics": "tf.keras.metrics.Mean, called with a number per batch",
    "tf.keras.callbacks": "a subclass of tf.keras.callbacks.Callback, with methods of your own",
    "tf.keras.backend": "the functions of tf, tf.math and tf.nn",
    "tf.keras.constraints": "w.assign(...) after each step",
    "tf.keras.ops": "the functions of tf, tf.math and tf.nn",
    "tf.keras.regularizers": "tf.nn.l2_loss(w), added to the loss",
    "tf.keras.utils": "NumPy and plain Python",
    "tf.keras.preprocessing": "NumPy, and tf.data.Dataset.from_tensor_slices",
    "tf.keras.models": "np.savez(file, *model.get_weights()) and model.set_weights(...)",
    "tf.keras.optimizers.schedules": "learning_rate=v, a tf.Variable, and v.assign(...)",
    "tf.keras.optimizers": "tf.keras.optimizers.Adam, or v.assign_sub(rate * gradient)",
    "tf.math": "NumPy's functions, or those of scipy.special, in a %%tape cell",
    "tf.nest": "tf.nest.flatten, map_structure and pack_sequence_as",
    "tf.train": "tf.train.Checkpoint for files, and tf.keras.optimizers",
    "tf.sparse": "dense tensors: tf.sparse.to_dense(x)",
    "tf.signal": "np.fft in a %%tape cell",
    "tf.math.special": "the functions of scipy.special in a %%tape cell",
    "tf.version": "tf.version.VERSION",
    "tf.keras.ops.image": "the functions of tf.image",
    "tf.keras.preprocessing.sequence": "NumPy and plain Python",
    "tf.keras.preprocessing.timeseries": "NumPy and plain Python",
    "tf.keras.random": "tf.random",
    "tf.random.experimental": "tf.random",
    "tf.random": "rng = np.random.default_rng(seed) and tf.constant(rng....)",
}

#: Where NumPy may have a function of the same name.
_NAMESAKES = {"tf": (np, "np"), "tf.math": (np, "np"), "tf.linalg": (np.linalg, "np.linalg")}


def _way(module: str, name: str) -> str:
    """Return what to use in place of a name."""
    full = f"{module}.{name}"
    if full in WAYS:
        return WAYS[full]
    if module == "tf.nn" and ("conv" in name or "pool" in name):
        return _WINDOWS
    library, short = _NAMESAKES.get(module, (None, ""))
    if inspect.isroutine(known := getattr(library, name, None)) or isinstance(known, np.ufunc):
        return f"{short}.{name} in a %%tape cell"
    return OTHERS.get(module, "NumPy's functions in a %%tape cell")


def missing(module: str) -> Callable[[str], Any]:
    """Return a module's ``__getattr__``: an AttributeError that names the NumPy way.

    Examples
    --------
    >>> print(_way("tf", "sets"))
    Python's set
    """

    def __getattr__(name: str) -> Any:  # noqa: N807  (becomes that of a module)
        if name.startswith("__"):  # asked for by tools: imports, doctest, completion
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        way = _way(module, name)
        fix = f"{way}." if way in (_GRAPH, _ALL_FLOAT32) else f"Use {way}."
        refuse(f"{module}.{name} is not provided.", fix)

    return __getattr__


class Names(SimpleNamespace):
    """A module of few names, under its own full one."""

    def __init__(self, module: str, **names: Any) -> None:
        super().__init__(**names)
        self._missing = missing(module)

    def __getattr__(self, name: str) -> Any:
        return vars(self)["_missing"](name)


class Explaining(type):
    """The class of classes that say what to write in place of a method that is not there."""

    def __getattr__(cls, name: str) -> Any:
        full = {"Dataset": "tf.data.Dataset", "Generator": "tf.random.Generator"}
        return missing(full.get(cls.__name__, cls.__name__))(name)


def missing_attribute(what: str, fix: str) -> Any:
    """Return a property that is not there: asking for it says how to do without."""
    return property(lambda self: refuse(what, fix))


def refuse(what: str, fix: str) -> NoReturn:
    """Raise MissingNameError, with the user's line.

    Raises
    ------
    MissingNameError
    """
    raise leaks.locate(MissingNameError(what, fix=fix))
