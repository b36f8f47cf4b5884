"""What a stream wants done to its sockets."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from holdfast_adapters.streams.wire import Endpoint


@attrs.frozen
class Open:
    """Open a socket to the endpoint for this connection."""

    number: int
    endpoint: Endpoint


@attrs.frozen
class Write:
    """Write bytes to a connection's socket, after those before."""

    number: int
    data: bytes


@attrs.frozen
class Drop:
    """Close a connection's socket, after what was written; nobody waits for it."""

    number: int


Effect: TypeAlias = Open | Write | Drop
