"""The journal itself: whole, and with every start in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from .reading import Record
from .report import Check

_FIRST = bytes(32)


def check_chain(records: Sequence[Record]) -> list[Check]:
    """Return the checks of starts, hashes and sequences."""
    return [
        Check("restarts missing from the record", _unrecorded_starts(records)),
        Check("breaks of the hash chain", _breaks(records)),
        Check("gaps in the sequence", _gaps(records)),
    ]


def _unrecorded_starts(records: Sequence[Record]) -> list[str]:
    findings = []
    epoch = 0
    for record in records:
        begins, is_start = record.epoch != epoch, record.kind == "EngineStarted"
        where = f"record {record.sequence}"
        if record.epoch < epoch:
            findings.append(f"{where}: epoch {record.epoch} comes after {epoch}")
        elif begins and not is_start:
            findings.append(f"{where}: epoch {record.epoch} begins with {record.kind}")
        elif is_start and not begins:
            findings.append(f"{where}: a start inside epoch {epoch}")
        epoch = record.epoch
    return findings


def _breaks(records: Sequence[Record]) -> list[str]:
    """Compare each hash with its record and the hash before, as it is written."""
    findings = []
    previous = _FIRST
    for r in records:
        head = (
            f"{r.sequence}|{r.epoch}|{r.cursor}|{r.market_time_us}|{r.wall_time_us}|"
            f"{r.kind}|"
        )
        expected = hashlib.sha256(previous + head.encode() + r.body.encode()).digest()
        if expected != r.hash:
            findings.append(f"record {r.sequence}: it does not match its hash")
        previous = r.hash
    return findings


def _gaps(records: Sequence[Record]) -> list[str]:
    findings = []
    expected = 1
    for record in records:
        if record.sequence != expected:
            findings.append(f"record {expected} is missing before {record.sequence}")
        expected = record.sequence + 1
    return findings
