"""`%%tape` in a notebook: what the cell reads, the swap of its namespace, the magic."""
