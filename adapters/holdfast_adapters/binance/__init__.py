"""Binance spot: a pure machine for the protocol, in a thin shell that does the I/O.

Bottom up. Pure, without I/O, clock or state: `wire` and `frames` (messages as they are
on the wire), `credentials` (signing), `naming` (client order ids), `errors` (what an
answer means), `rules` (filters), `placing` (requests), `telling` and `userdata`
(answers and events in the port's words).
"""
