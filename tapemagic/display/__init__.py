"""Ways of showing a graph: text, table, static picture, Graphviz and the live view."""
