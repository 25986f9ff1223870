"""What a handle can do as an array: operators, methods, elements, views, writes."""
