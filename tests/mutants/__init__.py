"""Changes of the package, one at a time, each of which the tests should notice."""
