"""Averages of variables over a training."""

from __future__ import annotations

from collections.abc import Iterable

from .variable import Variable


class ExponentialMovingAverage:
    """Averages of variables, in which the past counts less and less."""

    def __init__(self, decay: float, name: str = "ExponentialMovingAverage") -> None:
        self.decay, self.name = decay, name
        self._averages: list[tuple[Variable, Variable]] = []

    def apply(self, var_list: Iterable[Variable]) -> None:
        """Take in the values that variables have now."""
        for variable in var_list:
            average = self.average(variable)
            if average is None:
                name = f"{variable.name.removesuffix(':0')}/{self.name}"
                average = Variable(variable.numpy(), trainable=False, name=name)
                self._averages.append((variable, average))
            average.assign_sub((1 - self.decay) * (average.numpy() - variable.numpy()))

    def average(self, var: Variable) -> Variable | None:
        """Return the variable that holds an average."""
        return next((average for known, average in self._averages if known is var), None)
