"""Holdfast: the memory of an idle supervised actor, of 10 000."""

from __future__ import annotations

import gc
import json

import trio
from many import ACTORS, open_many, open_none
from memory import resident_bytes


async def measure() -> float:
    await open_none()
    gc.collect()
    before = resident_bytes()
    async with open_many():
        gc.collect()
        return (resident_bytes() - before) / ACTORS


if __name__ == "__main__":
    print(json.dumps({"value": trio.run(measure), "actors": ACTORS}))
