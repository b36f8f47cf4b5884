"""Seeded histories of a whole engine against a hostile venue: ``holdfast sim``.

Bottom up: `strategies` and `markets` (what trades, and on what), `plan` (what a seed
draws), `power` (a store that the power leaves), `playing` (one history), `checks`
(what must hold at its end), `shrinking` (which of its faults did it), `running` (many
histories, on several cores).
"""
