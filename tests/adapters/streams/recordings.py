"""What others recorded of venues, beside the repository; tests skip without it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from holdfast_domain.book import Level

RAW = Path(__file__).parents[4] / "shared" / "data" / "ws_raw"

Message = Any


def recording(name: str) -> Path:
    """The file, or the reason why this test does not run."""
    path = RAW / name
    if not path.exists():
        pytest.skip(f"no recording {name} in ../shared/data/ws_raw")
    return path


def hftbacktest(name: str) -> Iterator[tuple[int, Message]]:
    """Receive times in ns and messages of ``<ns> <message>`` lines."""
    with gzip.open(recording(f"hftbacktest/{name}.jsonl.gz"), "rt") as lines:
        for line in lines:
            at_ns, _, text = line.partition(" ")
            yield int(at_ns), json.loads(text)


def cryptofeed(name: str) -> Iterator[Message]:
    """The messages that came, of ``<s>: <message>`` lines."""
    with gzip.open(recording(f"cryptofeed/{name}.gz"), "rt") as lines:
        for line in lines:
            at, _, text = line.partition(": ")
            if at.replace(".", "").isdigit():
                yield json.loads(text)


def levels(rows: Sequence[Sequence[str]]) -> list[Level]:
    return [(Decimal(row[0]), Decimal(row[1])) for row in rows]
