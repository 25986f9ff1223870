"""What all tests share."""

import hypothesis

from tapemagic.autodiff import backward

# The same examples on every run: a failure seen by one is seen by all, and CI is not a lottery.
hypothesis.settings.register_profile(
    "house", derandomize=True, deadline=None, max_examples=50, database=None
)
hypothesis.settings.load_profile("house")


def pytest_addoption(parser):
    parser.addoption("--careful", action="store_true", help="every sweep keeps structural zeros")


def pytest_configure(config):
    if config.getoption("careful"):  # as if there were always a nan
        backward.have_nan = lambda cotangents: True
