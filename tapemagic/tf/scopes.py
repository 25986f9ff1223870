"""`tf.name_scope`: what stands in front of the names of variables."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any

_SCOPE: ContextVar[str] = ContextVar("the names of the blocks around a line", default="")


def scoped(name: str) -> str:
    """Return a name with those of the blocks around it in front."""
    return _SCOPE.get() + name


class NameScope:
    """A block, ``with tf.name_scope("layer"):``, in which variables are called ``layer/w``.

    Operations are named after the lines of the cell. A name that ends with a slash is a whole one:
    those of the blocks around do not come in front of it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._tokens: list[Token] = []

    @property
    def name(self) -> str:
        """The name, with a slash behind it."""
        return self._name if self._name.endswith("/") else f"{self._name}/"

    def __enter__(self) -> str:
        whole = self.name if self._name.endswith("/") else scoped(self.name)
        self._tokens.append(_SCOPE.set(whole))
        return _SCOPE.get()

    def __exit__(self, *exception: Any) -> None:
        _SCOPE.reset(self._tokens.pop())
