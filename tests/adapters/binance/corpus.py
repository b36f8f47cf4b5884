"""All recorded and documented payloads of Binance, each with where it is from."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHARED = Path(__file__).parents[4] / "shared"
"""Beside the repository, where there is one; not part of it."""

PAYLOADS = SHARED / "payloads" / "binance"
RECORDED = SHARED / "data"
LINES_OF_A_RECORDING = 1000

FUTURES = ("futures", "Future", "FUTURES", "usdm")
"""What names a payload of another exchange of Binance."""


def spot_payloads() -> Iterator[tuple[str, Any]]:
    """Yield every payload of the spot exchange, with the place it is from."""
    for place, value in _everything():
        if not any(word in place for word in FUTURES):
            yield place, value


def futures_payloads() -> Iterator[tuple[str, Any]]:
    """Yield every payload of the USD-M futures, with the place it is from."""
    for place, value in _everything():
        if any(word in place for word in FUTURES):
            yield place, value


def raw_lines(name: str, most: int = LINES_OF_A_RECORDING) -> Iterator[str]:
    """Yield the frames of a recording as they came, without their time stamps."""
    with gzip.open(RECORDED / "ws_raw" / name, "rt") as file:
        for number, line in enumerate(file):
            if number >= most:
                return
            frame = line[line.find("{") :].rstrip()
            if frame.startswith("{"):
                yield frame


def user_stream(name: str) -> list[str]:
    """Return the frames of a recorded user stream, in order."""
    text = (RECORDED / "ws_user_stream" / name).read_text()
    return [json.dumps(value) for value in _concatenated(text)]


def documented(name: str) -> list[Any]:
    """Return the examples of a page of the documentation."""
    found = json.loads((PAYLOADS / f"docs__{name}.md.json").read_text())
    return [each["json"] for each in found]


def _everything() -> Iterator[tuple[str, Any]]:
    for path in sorted(PAYLOADS.iterdir()):
        if path.name.startswith("docs__"):
            for number, each in enumerate(json.loads(path.read_text())):
                yield f"{path.name}[{number}] {each['section']}", each["json"]
        elif path.name.endswith(".ws.1.0"):
            for line in path.read_text().splitlines():
                if "{" in line and "<-" not in line:
                    yield path.name, json.loads(line[line.find("{") :])
        elif path.name != "signing_vectors.json":
            yield from ((path.name, each) for each in _concatenated(path.read_text()))
    for path in sorted((RECORDED / "ws_user_stream").iterdir()):
        yield from ((path.name, each) for each in _concatenated(path.read_text()))
    yield from _singles()
    for name in (
        "cryptofeed/BINANCE.ws.1.0.gz",
        "hftbacktest/spot/btcusdt_20240808.jsonl.gz",
    ):
        yield from ((name, json.loads(frame)) for frame in raw_lines(name))


def _singles() -> Iterator[tuple[str, Any]]:
    archive = RECORDED / "ws_single_messages" / "nautilus_binance.tar.gz"
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            file = tar.extractfile(member)
            if file is not None and member.name.endswith(".json"):
                yield member.name, json.loads(file.read())


def _concatenated(text: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        yield value
