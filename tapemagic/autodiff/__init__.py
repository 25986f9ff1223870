"""The tape: handles, primitives and their rules, recording, the reverse sweep."""
