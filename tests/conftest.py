"""What all tests share."""

import hypothesis

# The same examples on every run: a failure seen by one is seen by all, and CI is not a lottery.
hypothesis.settings.register_profile(
    "house", derandomize=True, deadline=None, max_examples=50, database=None
)
hypothesis.settings.load_profile("house")
