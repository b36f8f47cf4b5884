"""Where TWS or IB Gateway listens, and whether that is for money."""

from __future__ import annotations

from typing import Final

import attrs

from holdfast_domain.errors import InputError

PAPER_PORTS: Final = {7497: "TWS", 4002: "IB Gateway"}
LIVE_PORTS: Final = {7496: "TWS", 4001: "IB Gateway"}
"""What both listen at by default, with paper and with live accounts."""

DEFAULT: Final = "127.0.0.1:7497"
PORTS: Final = 65_535


@attrs.frozen
class Address:
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str, where: str, *, live: bool) -> Address:
        """Return the address in ``text``; without one, that of TWS on paper.

        Raises:
            InputError: it is none, or is for money and ``live`` does not say so.
        """
        host, colon, port = (text or DEFAULT).rpartition(":")
        if not colon or not host or not port.isdecimal() or int(port) > PORTS:
            todo = f"such as {DEFAULT}"
            raise InputError(where, "HOST:PORT", repr(text), todo)
        if int(port) in LIVE_PORTS and not live:
            name = LIVE_PORTS[int(port)]
            paper = next(each for each, who in PAPER_PORTS.items() if who == name)
            came = f"{port}, where {name} has live accounts"
            todo = f"take {paper} for paper, or say live: true"
            raise InputError(where, "a port for paper", came, todo)
        return cls(host, int(port))


@attrs.frozen(kw_only=True)
class Line:
    """Where to connect, and as whom."""

    address: Address
    client_id: int
    zone: str
    """In which TWS writes times that say no zone."""

    heartbeat_s: float = 10.0
    """How often TWS is asked for the time, and how long it may take to say it."""
