"""Exchanges on the desk: simulators that speak as the real ones do, over real sockets.

Each stands around the one matching engine, and shares no code with the adapter that is
tested against it. `serving` is the server that they have in common.
"""
