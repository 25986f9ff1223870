"""Recurrent layers: cells, which do one step, and what leads them along a series.

GRU: Cho et al. 2014, with the reset gate after the product; LSTM: Hochreiter and Schmidhuber 1997,
with the forget gate of Gers et al. 2000.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import nest, shaping
from tapemagic.tf.creation import zeros
from tapemagic.tf.specs import TensorShape
from tapemagic.tf.tensor import Tensor, tensor_of

from . import activations, masks
from .calls import snake
from .inputs import InputSpec, positive
from .layer import Layer


class _Cell(Layer):
    """What the cells have in common: a kernel for the input, one for the state, and a bias."""

    parts = 1  # of which each kernel is made
    states = 1
    activation: Any = activations.Setting()
    recurrent_activation: Any = activations.Setting()

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid",
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        dropout: float = 0.0, recurrent_dropout: float = 0.0, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        if dropout or recurrent_dropout:
            raise leaks.locate(
                TapeUseError(
                    f"{type(self).__name__} with dropout inside is not provided.",
                    fix="Put a tf.keras.layers.Dropout in front of the layer.",
                )
            )
        self.units, self.use_bias = positive(units, "units"), use_bias
        self.activation, self.recurrent_activation = activation, recurrent_activation
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.recurrent_initializer = recurrent_initializer

    @property
    def state_size(self) -> Any:
        """Length of the state, or a list of them."""
        return self.units if self.states == 1 else [self.units] * self.states

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Return states of zeros."""
        return [zeros((int(plain(batch_size)), self.units), self.dtype) for _ in range(self.states)]

    def build(self, input_shape: Any) -> None:
        """Make the kernels, [length of the input or state, parts * units], and the bias."""
        width = self.parts * self.units
        self.kernel = self.add_weight(
            (input_shape[-1], width), self.kernel_initializer, name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            (self.units, width), self.recurrent_initializer, name="recurrent_kernel"
        )
        self.bias: Any = None
        if self.use_bias:
            self.bias = self.add_weight(self._bias_shape(), self.bias_initializer, name="bias")

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.parts * self.units,)

    def call(self, inputs: Any, states: Any, training: Any = False) -> tuple:
        """Return the result of a step, and the next states."""
        several = isinstance(states, (list, tuple))
        y, following = self.step(inputs, list(states) if several else [states])
        return y, following if several else following[0]

    def step(self, x: Any, states: list) -> tuple[Tensor, list]:
        """Return the result of a step, and the list of the next states."""
        raise NotImplementedError


class SimpleRNNCell(_Cell):
    """``activation(x @ kernel + state @ recurrent_kernel + bias)``."""

    def step(self, x: Any, states: list) -> tuple[Tensor, list]:
        """Return the new state, twice."""
        y = x @ self.kernel + states[0] @ self.recurrent_kernel
        y = self.activation(tensor_of(y if self.bias is None else y + self.bias))
        return y, [y]


class GRUCell(_Cell):
    """A state that is kept as far as a gate says, and otherwise made anew."""

    parts = 3

    def __init__(self, units: int, reset_after: bool = True, **more: Any) -> None:
        super().__init__(units, **more)
        self.reset_after = reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        width = 3 * self.units
        return (2, width) if self.reset_after else (width,)

    def step(self, x: Any, states: list) -> tuple[Tensor, list]:
        """Return the new state, twice."""
        h, n = states[0], self.units
        into = x @ self.kernel
        if self.bias is not None:
            into = into + (self.bias[0] if self.reset_after else self.bias)
        if self.reset_after:
            back = h @ self.recurrent_kernel
            back = back if self.bias is None else back + self.bias[1]
            gates = self.recurrent_activation(into[:, : 2 * n] + back[:, : 2 * n])
            new = into[:, 2 * n :] + gates[:, n:] * back[:, 2 * n :]
        else:
            back = h @ self.recurrent_kernel[:, : 2 * n]
            gates = self.recurrent_activation(into[:, : 2 * n] + back)
            new = into[:, 2 * n :] + (gates[:, n:] * h) @ self.recurrent_kernel[:, 2 * n :]
        kept = gates[:, :n]
        y = tensor_of(kept * h + (1 - kept) * self.activation(new))
        return y, [y]


class LSTMCell(_Cell):
    """A memory that three gates write to, keep, and read from."""

    parts, states = 4, 2

    def __init__(self, units: int, unit_forget_bias: bool = True, **more: Any) -> None:
        super().__init__(units, **more)
        if unit_forget_bias and self.bias_initializer == "zeros":
            self.bias_initializer = _ones_for_forgetting

    def step(self, x: Any, states: list) -> tuple[Tensor, list]:
        """Return what is read, and that with the memory."""
        h, memory = states
        z = x @ self.kernel + h @ self.recurrent_kernel
        z = z if self.bias is None else z + self.bias
        write, keep, new, read = (z[:, k * self.units : (k + 1) * self.units] for k in range(4))
        gate = self.recurrent_activation
        memory = tensor_of(gate(keep) * memory + gate(write) * self.activation(new))
        y = tensor_of(gate(read) * self.activation(memory))
        return y, [y, memory]


def _ones_for_forgetting(shape: Any, dtype: Any = None) -> np.ndarray:
    units = shape[0] // 4
    return np.repeat(np.array([0, 1, 0, 0], np.dtype(dtype)), units)


class RNN(Layer):
    """A cell led along a series, [batch, steps, features].

    Parameters
    ----------
    cell : layer, or a list of them, one on top of the other
        It has a `state_size`, and its `call(inputs, states)` takes a list of states, and returns a
        result and the next ones.
    return_sequences : bool
        Whether to return the results of all steps, or the last.
    return_state : bool
        Whether to return the states after the last step as well.
    go_backwards : bool
        Whether to begin at the end.
    stateful : bool
        Whether each call begins with the states that the one before has left.

    Examples
    --------
    >>> from tapemagic import tf
    >>> layer = tf.keras.layers.LSTM(4, return_sequences=True, return_state=True)
    >>> y, h, memory = layer(tf.zeros((2, 5, 3)))
    >>> y.shape, h.shape
    (TensorShape([2, 5, 4]), TensorShape([2, 4]))
    """

    def __init__(
        self, cell: Any, return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        zero_output_for_mask: bool = False, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        self.cell = StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else cell
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful = go_backwards, stateful
        self.zero_output_for_mask = zero_output_for_mask
        self._left: Any = None
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: Any) -> None:
        """Make the weights of the cell."""
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build(TensorShape((input_shape[0], input_shape[-1])))
            self.cell.built = True

    def get_initial_state(self, batch_size: Any) -> list:
        """Return states of zeros."""
        if hasattr(self.cell, "get_initial_state"):
            return nest.flatten(self.cell.get_initial_state(batch_size))
        sizes = nest.flatten(self.cell.state_size)
        return [zeros((int(plain(batch_size)), n), self.dtype) for n in sizes]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the input for the results of all steps, and none for the last."""
        return previous_mask if self.return_sequences else None

    def reset_state(self) -> None:
        """Let the next call begin with zeros."""
        self._left = None

    def call(
        self, sequence: Any, initial_state: Any = None, mask: Any = None, training: Any = False
    ) -> Any:
        """Return the last result or all of them, and the states on request."""
        if initial_state is None and self.stateful:
            initial_state = self._left
        if initial_state is None:
            initial_state = self.get_initial_state(sequence.shape[0])
        states = nest.flatten(initial_state)  # also of one: cells take a list
        results = list[Any]()
        steps = range(sequence.shape[1])
        counts = None if mask is None else masks.steps(mask, sequence)
        for t in reversed(steps) if self.go_backwards else steps:
            y, following = self.cell(sequence[:, t], states)
            following = nest.flatten(following)
            if counts is not None:
                rest = results[-1] if results and not self.zero_output_for_mask else 0
                y, following = _where(counts[:, t], (y, following), (rest, states))
            states = following
            results.append(y)
        self._left = [tensor_of(plain(x)) for x in states]
        y = shaping.FUNCTIONS["stack"](results, 1) if self.return_sequences else results[-1]
        return (y, *states) if self.return_state else y


def _where(counts: np.ndarray, taken: Any, kept: Any) -> Any:
    """Return the rows of new tensors where a step counts, and those of the old ones elsewhere."""
    return nest.map_structure(
        lambda x, old: tensor_of(np.where(counts[:, np.newaxis], x, old)), taken, kept
    )


class StackedRNNCells(Layer):
    """Cells one on top of the other."""

    def __init__(self, cells: Any, **more: Any) -> None:
        super().__init__(**more)
        self.cells = list(cells)

    @property
    def state_size(self) -> list:
        """Lengths of the states of the cells."""
        return [cell.state_size for cell in self.cells]

    def get_initial_state(self, batch_size: Any = None) -> list:
        """Return states of zeros."""
        return [cell.get_initial_state(batch_size) for cell in self.cells]

    def build(self, input_shape: Any) -> None:
        """Make the weights of the cells."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            last = nest.flatten(cell.state_size)[0]
            input_shape = TensorShape((input_shape[0], last))

    def call(self, inputs: Any, states: Any, training: Any = False) -> tuple:
        """Return the result of the last cell, and the next states of all."""
        left, following = nest.flatten(states), list[Any]()
        for cell in self.cells:
            count = len(nest.flatten(cell.state_size))
            inputs, new = cell(inputs, left[:count])
            left, following = left[count:], [*following, *nest.flatten(new)]
        return inputs, following


def _led(name: str, cell: type, *names: str) -> type:
    """Make the layer that leads a kind of cell along a series."""
    own = {
        "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "name",
        "trainable", "input_shape", "use_cudnn", "activity_regularizer", "zero_output_for_mask",
    }  # fmt: skip

    def __init__(self: Any, units: int, *args: Any, **options: Any) -> None:  # noqa: N807
        options.update(zip(names, args, strict=False))
        options.pop("use_cudnn", None)
        inside = {key: value for key, value in options.items() if key not in own}
        around = {key: value for key, value in options.items() if key in own}
        if "dtype" in inside:
            around["dtype"] = inside["dtype"]
        RNN.__init__(self, cell(units, name=snake(cell.__name__), **inside), **around)
        self.units = units

    documentation = f"A `{cell.__name__}` led along a series; see `RNN` for the other options."
    return type(name, (RNN,), {"__init__": __init__, "__doc__": documentation})


SimpleRNN = _led("SimpleRNN", SimpleRNNCell, "activation", "use_bias")
GRU = _led("GRU", GRUCell, "activation", "recurrent_activation", "use_bias")
LSTM = _led("LSTM", LSTMCell, "activation", "recurrent_activation", "use_bias")
