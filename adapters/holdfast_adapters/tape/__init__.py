"""The tape: what a live feed saw, on disk before anybody acts upon it."""

from holdfast_adapters.tape.extent import Extent, extent_of
from holdfast_adapters.tape.store import SqliteTape, TapeCut, TapeReader, let_go

__all__ = [
    "Extent",
    "SqliteTape",
    "TapeCut",
    "TapeReader",
    "extent_of",
    "let_go",
]
