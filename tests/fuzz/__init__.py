"""Random NumPy programs, run as plain NumPy and under a tape: equal values, right gradients."""
