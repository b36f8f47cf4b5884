"""A day of recorded streams with faults, in virtual time: nothing is lost or kept."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from holdfast_adapters.streams import StreamPlan
from holdfast_adapters.streams.recording import Kind, records

from .day import Day, Recorded, again_and_again
from .recordings import hftbacktest

SAMPLE = Path(__file__).parents[3] / "examples" / "streams" / "btcusdt"
HOUR_S = 3600.0
GROWTH_BYTES = 32_768
"""By how much the memory of a day may differ from that of its first hours."""


def sample_stream() -> list[Recorded]:
    """The trades of the example, of two symbols in turn."""
    made: list[Recorded] = []
    before_ns = 0
    for record in records(SAMPLE):
        if record.kind is not Kind.HEARD:
            continue
        frame = json.loads(record.payload)
        after_s = (record.at_ns - before_ns) / 1e9 if before_ns else 0.0
        before_ns = record.at_ns
        made.append(Recorded(after_s, frame["stream"], frame))
        other = {"stream": "ethusdt@trade", "data": {**frame["data"], "s": "ETHUSDT"}}
        made.append(Recorded(0.0, "ethusdt@trade", other))
    return made


def recorded_stream() -> list[Recorded]:
    """Trades, quotes and a book, as they were heard of the exchange."""
    made: list[Recorded] = []
    before_ns, last = 0, dict[str, int]()
    for at_ns, frame in hftbacktest("spot/btcusdt_20240808"):
        if "stream" not in frame:
            continue  # the answer to the subscription
        after_s = (at_ns - before_ns) / 1e9 if before_ns else 0.0
        each = Recorded(after_s, frame["stream"], frame)
        if each.number > last.get(each.key, 0):  # what was heard twice is heard once
            made.append(each)
            before_ns, last[each.key] = at_ns, each.number
    return made


def live(
    recorded: Sequence[Recorded],
    plan: StreamPlan,
    seed: int,
    hours: Sequence[float],
    fault_every_s: float,
    slower: float = 1.0,
) -> Day:
    """Live through a day; its memory must be the same at both ``hours``."""
    keys = sorted({each.key for each in recorded})
    messages = again_and_again(recorded, slower)
    tracemalloc.start()
    try:
        day = Day(keys, plan, seed)
        kept = []
        for hour in hours:
            day.live(messages, hour * HOUR_S, fault_every_s)
            # So long without a fault that all of it lives again.
            day.live(messages, hour * HOUR_S + 600.0)
            gc.collect()
            kept.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert kept[-1] - kept[0] < GROWTH_BYTES, kept
    return day


def check(day: Day) -> None:
    """Each fault was lived through, and every subscription lives."""
    assert day.last == day.sent
    assert {"Up", "Down", "Rotated", "Stale", "Fresh", "Gap", "Garbled"} < set(day.told)
    assert not {"Refused", "Dropped"} & set(day.told)
    assert day.pongs


def test_hours_of_streams_with_faults_lose_nothing_and_keep_nothing(
    sample: Random,
) -> None:
    seed = sample.randint(0, 1 << 30)
    plan = StreamPlan(url="ws://x/", lifetime_s=HOUR_S / 2)
    day = live(sample_stream(), plan, seed, (0.5, 1.5), 120.0, slower=4.0)
    check(day)


def test_a_connection_is_replaced_before_the_venue_ends_it() -> None:
    """The venue ends it after 24 hours; nothing is missing of a day and a half."""
    recorded = sample_stream()
    messages = again_and_again(recorded, slower=60.0)
    day = Day(sorted({each.key for each in recorded}), StreamPlan(url="ws://x/"), 1)
    day.live(messages, 36 * HOUR_S)
    assert day.last == day.sent
    assert day.told["Data"] == day.count > 10_000
    assert {**day.told, "Data": 0} == {"Up": 1, "Rotated": 1, "Data": 0}


@pytest.mark.soak
@pytest.mark.parametrize("what", ["sample", "recorded"])
def test_a_day_of_streams_with_faults_loses_nothing_and_keeps_nothing(
    what: str, sample: Random
) -> None:
    """Connections are as old as the venue lets them be; a recording goes by slowly."""
    seed, plan = sample.randint(0, 1 << 30), StreamPlan(url="ws://x/")
    if what == "sample":
        day = live(sample_stream(), plan, seed, (2.0, 24.0), 600.0)
    else:
        day = live(recorded_stream(), plan, seed, (2.0, 24.0), 600.0, slower=20.0)
    check(day)
