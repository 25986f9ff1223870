"""Stand-ins, while a tape records, for what dispatch cannot catch: `np.zeros`, `math.sin`."""
