"""What all tests share: a reproducible hypothesis, and Chromium for those marked `browser`."""

import os
import shutil

import hypothesis
import pytest

# The same examples on every run: a failure seen by one is seen by all, and CI is not a lottery.
hypothesis.settings.register_profile(
    "house", derandomize=True, deadline=None, max_examples=50, database=None
)
hypothesis.settings.load_profile("house")

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM_FLAGS = [
    "--no-sandbox",  # root in a container has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium_path():
    """Where Chromium is; tests that need it are skipped without it, except in CI."""
    for name in CHROMIUM_NAMES:
        if path := shutil.which(name):
            return path
    if os.environ.get("CI"):
        pytest.fail("CI needs Chromium")
    return pytest.skip("Chromium is not installed")


@pytest.fixture(scope="session")
def chromium(chromium_path):
    """A headless Chromium, driven by playwright; `chromium.new_page()` gives an empty page."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
