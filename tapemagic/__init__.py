"""Reverse-mode autodiff tape for ordinary NumPy cells: see, check and explain gradients."""

__version__ = "0.1.0"
