"""The tape as plain data to look at: model, groups, coordinates and reasons."""
