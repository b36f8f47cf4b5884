"""Plays seeds with one mutation until one is caught: ``mutant.py NAME FROM COUNT``.

Prints the seed and the first violation, or ``survived``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from mutations import MUTATIONS, install  # type: ignore[import-not-found]


def main(name: str, first: int, count: int) -> None:
    if name:
        install(next(each for each in MUTATIONS if each.name == name))
    from holdfast.simulation.plan import draw  # noqa: PLC0415 - after the mutation
    from holdfast.simulation.running import verdict_of  # noqa: PLC0415

    for seed in range(first, first + count):
        try:
            violations = verdict_of(draw(seed)).violations
        except Exception as error:  # noqa: BLE001 - the engine's own way to say it
            violations = (repr(error),)
        if violations:
            print(f"{seed}: {violations[0][:300]}")
            return
    print("survived")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
