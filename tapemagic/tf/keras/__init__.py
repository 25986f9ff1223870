"""`tf.keras`: layers, and what training loops with a tape use."""

from tapemagic.tf import advice
from tapemagic.tf import nest as tree

from . import (
    activations,
    backend,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    preprocessing,
    random,
    regularizers,
    utils,
)  # fmt: skip
from .inputs import Input
from .models import Model, Sequential

__all__ = [
    "Input", "Layer", "Loss", "Metric", "Model", "Optimizer", "Sequential", "activations",
    "backend", "callbacks", "constraints", "initializers", "layers", "losses", "metrics", "models",
    "ops", "optimizers", "preprocessing", "random", "regularizers", "tree", "utils",
]  # fmt: skip

Layer, Loss, Metric, Optimizer = layers.Layer, losses.Loss, metrics.Metric, optimizers.Optimizer

__version__ = "3.15.1+tapemagic"  # the Keras whose behaviour this follows
config = backend  # what Keras 3 calls it

__getattr__ = advice.missing("tf.keras")
