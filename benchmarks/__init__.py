"""Benchmarks: workloads with a hand-written NumPy gradient as the yardstick."""
