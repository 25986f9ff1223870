"""Parts and variants of the reverse sweep: recorded, careful with nan, many cotangents at once."""
