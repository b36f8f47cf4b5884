"""ib_async, which only those need who trade at Interactive Brokers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from holdfast_domain.errors import InputError


def library() -> Any:  # noqa: ANN401 - a module
    """Return ib_async.

    Raises:
        InputError: it is not installed.
    """
    try:
        import ib_async  # noqa: PLC0415 - others do without it
    except ImportError as error:
        todo = "install it with: pip install 'holdfast[ib]'"
        raise InputError("adapter ib", "ib_async", "none", todo) from error
    # What it logs goes to who asks for logs, and not to standard error.
    logger = logging.getLogger("ib_async")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return ib_async


def new_client(ears: Any, unreadable: Callable[[str], None]) -> Any:  # noqa: ANN401
    """Return a client that tells ``ears`` what it reads, and throttles nothing.

    ``unreadable`` is told of each message that ib_async could not decode: its own
    decoder writes a line to a log, and goes on as if nothing had come.
    """
    library()
    from ib_async.client import Client  # noqa: PLC0415
    from ib_async.decoder import Decoder  # noqa: PLC0415

    class Strict(Decoder):
        """A decoder that does not keep to itself what it could not read."""

        def interpret(self, fields: Any) -> None:  # noqa: ANN401
            """Decode a message, and call its method."""
            try:
                self.handlers[int(fields[0])](in_utc(fields))
            except Exception as error:  # noqa: BLE001 - whatever a field holds
                unreadable(f"{fields[:4]}: {error!r}")

        def wrap(self, methodName: str, types: Any, skip: int = 2) -> Any:  # noqa: ANN401
            """Return a handler that raises what it cannot read."""
            method = getattr(ears, methodName, None)

            def handler(fields: Any) -> None:  # noqa: ANN401
                if method is not None:
                    given = zip(types, fields[skip:], strict=False)
                    method(*(_read(kind, field) for kind, field in given))

            return handler

    client: Any = Client(ears)  # type: ignore[no-untyped-call]
    client.MaxRequests = 0
    client.decoder = Strict(ears, 0)
    return client


@contextmanager
def in_one_write(client: Any) -> Iterator[None]:  # noqa: ANN401
    """Let what is sent in the block leave together at its end, or not at all.

    ib_async writes each message by itself, and a connection may end between two.
    """
    conn, messages = client.conn, list[bytes]()
    conn.sendMsg = messages.append
    try:
        yield
    finally:
        del conn.sendMsg
    conn.sendMsg(b"".join(messages))


def _read(kind: type, field: str) -> Any:  # noqa: ANN401
    if kind is str:
        return field
    number = float(field or 0) if kind is float else int(field or 0)
    return bool(number) if kind is bool else number


EXECUTION = "11"
TIME_AT = 15
"""Where the time of an execution is in its message."""


def in_utc(fields: list[str]) -> list[str]:
    """Return a message whose time in the form of UTC says so.

    TWS writes ``20260105-15:00:00`` for UTC, which ib_async takes for local time.
    """
    if fields[0] != EXECUTION or "-" not in fields[TIME_AT]:
        return fields
    day, _, clock = fields[TIME_AT].partition("-")
    return [*fields[:TIME_AT], f"{day} {clock} UTC", *fields[TIME_AT + 1 :]]
