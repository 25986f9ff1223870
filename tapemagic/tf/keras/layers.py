"""`tf.keras.layers`: the layers by their names."""

from __future__ import annotations

from tapemagic.tf import advice

from .core_layers import (
    Activation,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    LeakyReLU,
    ReLU,
    Rescaling,
    Reshape,
    Softmax,
)  # fmt: skip
from .image_layers import (
    AveragePooling2D,
    Conv2D,
    Conv2DTranspose,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
)  # fmt: skip
from .inputs import Input, InputLayer, InputSpec
from .layer import Layer
from .normalization import BatchNormalization, LayerNormalization

Convolution2D = Conv2D
AvgPool2D = AveragePooling2D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool2D = MaxPooling2D

__all__ = [
    "Activation", "AveragePooling2D", "AvgPool2D", "BatchNormalization", "Conv2D",
    "Conv2DTranspose", "Convolution2D", "Dense", "Dropout", "Embedding", "Flatten",
    "GlobalAveragePooling2D", "GlobalAvgPool2D", "GlobalMaxPool2D", "GlobalMaxPooling2D",
    "Input", "InputLayer", "InputSpec", "Layer", "LayerNormalization", "LeakyReLU", "MaxPool2D",
    "MaxPooling2D", "ReLU", "Rescaling", "Reshape", "Softmax",
]  # fmt: skip

__getattr__ = advice.missing("tf.keras.layers")
