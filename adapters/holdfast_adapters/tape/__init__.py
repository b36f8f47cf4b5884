"""The tape: what a live feed saw, on disk before anybody acts upon it."""

from holdfast_adapters.tape.store import SqliteTape, TapeReader

__all__ = ["SqliteTape", "TapeReader"]
