"""Chromium, driven by Playwright, and the folder for screenshots."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SCREENSHOTS = PROJECT / "build" / "browser"

#: names under which Linux distributions and macOS's package managers install it
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HELP = (
    "no Chromium found: install it (Debian and Ubuntu: apt-get install chromium; anywhere: "
    "playwright install chromium), or name an executable in COURSE_BROWSER"
)

try:
    from playwright import sync_api
except ImportError:
    sync_api = None
    collect_ignore_glob = ["test_*.py"]
else:
    # a busy machine may need this long to show what it has; a wait ends as soon as it does
    sync_api.expect.set_options(timeout=60_000)


def pytest_report_header() -> str:
    """Say where the screenshots go, or why there are no tests."""
    if sync_api is None:
        return "no browser tests without Playwright: make browser installs it"
    return f"screenshots: {SCREENSHOTS}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Allow each test as long as the longest notebook may take on a slow machine."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(1_800))


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Give the folder for screenshots, without those of earlier runs."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for picture in SCREENSHOTS.glob("*.png"):
        picture.unlink()
    return SCREENSHOTS


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["sync_api.BrowserContext"]:
    """Start Chromium with an empty profile; skip the test where there is none."""
    with sync_api.sync_playwright() as playwright:
        executable = find_chromium(playwright.chromium.executable_path)
        if executable is None:
            pytest.skip(HELP)
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=executable,
            headless=True,
            args=OPTIONS,
            viewport={"width": 1280, "height": 900},
            locale="en-US",
        )
        yield context
        context.close()


def find_chromium(own: str) -> str | None:
    """Return the executable to drive, or None if there is none.

    Parameters
    ----------
    own : str
        Where Playwright would keep a Chromium that it downloaded itself.

    Raises
    ------
    FileNotFoundError
        If COURSE_BROWSER names something that cannot be executed.
    """
    named = os.environ.get("COURSE_BROWSER")
    if named:
        found = shutil.which(named)
        if found is None:
            raise FileNotFoundError(
                f"COURSE_BROWSER={named!r} is no executable: give the path of Chromium or Chrome, "
                "or unset it to have one looked for"
            )
        return found
    return next(filter(None, map(shutil.which, (*NAMES, own))), None)
