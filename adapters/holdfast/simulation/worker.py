"""A worker of ``holdfast sim``: plays its seeds and prints a line for each."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import attrs

from holdfast.simulation.running import here


def main(arguments: Sequence[str]) -> None:
    """Play the seeds from, until, step; then the kinds of faults, if not all."""
    start, stop, step = map(int, arguments[:3])
    kinds = arguments[3].split(",") if arguments[3:] else None
    for verdict in here(range(start, stop, step), kinds):
        sys.stdout.write(json.dumps(attrs.asdict(verdict)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
