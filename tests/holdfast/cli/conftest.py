"""The desk of the tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from .commands import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk in a new folder."""
    return Desk(tmp_path)
