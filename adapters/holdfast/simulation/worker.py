"""A worker of ``holdfast sim``: plays the seeds that it reads, a line for each."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import attrs

from holdfast.simulation.running import here


def main(arguments: Sequence[str]) -> None:
    """Play each seed that comes on standard input; with the kinds of faults, if any."""
    kinds = arguments[0].split(",") if arguments else None
    for verdict in here(map(int, sys.stdin), kinds):
        sys.stdout.write(json.dumps(attrs.asdict(verdict)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
