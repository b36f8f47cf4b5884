"""What every test may use: a sampling seed that each commit changes, and soak tests."""

from __future__ import annotations

import os
import random
from collections.abc import Generator

import pytest
from coverage import Coverage
from hypothesis import settings
from tests.forking import TRACING
from tests.sampling import SEED, examples

UNMEASURED = (
    "tests/proof/",
    "tests/runtime/test_plugin.py",
    "tests/runtime/test_same_seed.py",
    "tests/test_docs.py",
    "tests/test_examples.py",
)
"""What is not traced for coverage, nor are its child processes: it takes twice as long.

Other tests pass through the same code.
"""

# A shared machine stalls at times; an example that is slow once is not a failure.
settings.register_profile("holdfast", examples(100), deadline=None)
settings.load_profile("holdfast")


def pytest_report_header() -> str:
    """Say how to repeat this run's samples."""
    return f"HOLDFAST_SAMPLE={SEED}"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers of this suite."""
    config.addinivalue_line("markers", "soak: takes minutes; run by `make soak` alone")


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave the soak tests out, unless ``-m`` speaks of them."""
    if "soak" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("soak")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let long tests and their children run untraced."""
    traced, tracer = os.environ.get(TRACING), Coverage.current()
    if traced is None or tracer is None or not item.nodeid.startswith(UNMEASURED):
        return (yield)
    del os.environ[TRACING]
    tracer.stop()
    try:
        return (yield)
    finally:
        tracer.start()
        os.environ[TRACING] = traced


FAILED: list[str] = []
"""The tests that failed, by their node ids."""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what failed."""
    if report.failed:
        FAILED.append(f"{report.nodeid} ({report.when})")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Name what failed once more, last: of a long output one may see only the end."""
    if FAILED and not hasattr(config, "workerinput"):
        print("failed:", *FAILED[:20], sep="\n  ")
        print(f"repeat the samples with HOLDFAST_SAMPLE={SEED}")


@pytest.fixture
def sample(request: pytest.FixtureRequest) -> random.Random:
    """A generator for sampling cases: the same for a test as long as the seed is."""
    return random.Random(f"{SEED}/{request.node.nodeid}")
