"""Gradients that optimizers make shorter before they step."""

from __future__ import annotations

import numpy as np


def clipped(gradients: list[np.ndarray], clips: dict[str, float]) -> list[np.ndarray]:
    """Return gradients no longer, each or all of them, and no larger than an optimizer was told."""
    ((kind, limit),) = clips.items() or [("", 0.0)]
    if kind == "clipvalue":
        return [np.clip(g, -limit, limit) for g in gradients]
    if kind == "clipnorm":
        return [g * min(1.0, limit / max(_norm([g]), 1e-30)) for g in gradients]
    if kind == "global_clipnorm":
        factor = min(1.0, limit / max(_norm(gradients), 1e-30))
        return [g * factor for g in gradients]
    return gradients


def _norm(arrays: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(np.sum(np.square(np.abs(x))) for x in arrays)))
