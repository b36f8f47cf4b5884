"""One WebSocket from the client's side, without I/O: bytes in, messages and bytes out.

wsproto knows the protocol. Whole frames of data, which are all but a few, are cut out
of the buffer here, before it: that is ten times as fast. What is in parts, a control
frame or against the rules goes to wsproto, one frame at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import attrs
import wsproto
from wsproto import events as frames
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

WHOLE: Final = (0x81, 0x82)
"""First bytes of a whole text or binary message: final, no extension (RFC 6455 5.2)."""

HEAD_BYTES_MAX: Final = 65_536
"""The longest answer to a handshake."""

HEAD_BYTES_MIN: Final = 2
"""The shortest head of a frame (RFC 6455 5.2)."""

_SIZE_16, _SIZE_64 = 126, 127
_END_OF_HEAD = b"\r\n\r\n"


@attrs.frozen
class Endpoint:
    """Where a WebSocket is: ``wss`` is TLS.

    >>> Endpoint.of("wss://stream.example/ws?x=1")
    Endpoint(host='stream.example', port=443, target='/ws?x=1', is_tls=True)
    """

    host: str
    port: int
    target: str
    is_tls: bool

    @classmethod
    def of(cls, url: str) -> Endpoint:
        """Return the endpoint of ``url``.

        Raises:
            ValueError: it is no ``ws://`` or ``wss://`` URL with a host.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"ws", "wss"} or not parts.hostname:
            message = f"expected ws:// or wss:// and a host, got {url!r}"
            raise ValueError(message)
        is_tls = parts.scheme == "wss"
        port = parts.port or (443 if is_tls else 80)
        query = f"?{parts.query}" if parts.query else ""
        return cls(parts.hostname, port, (parts.path or "/") + query, is_tls)

    @property
    def authority(self) -> str:
        """What the ``Host`` header says."""
        usual = 443 if self.is_tls else 80
        return self.host if self.port == usual else f"{self.host}:{self.port}"


@attrs.frozen
class Accepted:
    """The peer took the handshake."""


@attrs.frozen
class Rejected:
    """The peer answered the handshake with an HTTP status of its own."""

    status: int
    retry_after_s: float | None


@attrs.frozen
class Pong:
    """The peer answered a ping."""


@attrs.frozen
class Closed:
    """The conversation is over: their closing code, or ours for what they broke."""

    code: int
    reason: str


Happening: TypeAlias = bytes | Accepted | Rejected | Pong | Closed
"""What bytes turn out to be; a whole message is its payload, text or binary alike."""


class Wire:
    """The client's side of one WebSocket.

    A text is not checked to be UTF-8 unless it came in parts: whoever decodes it does
    that. Compression is not offered. The masks of outgoing frames are random, as
    RFC 6455 5.3 demands; nothing that is told depends on them.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        headers: Sequence[tuple[str, str]] = (),
        *,
        message_bytes_max: int,
    ) -> None:
        self._endpoint = endpoint
        self._headers = headers
        self._message_bytes_max = message_bytes_max
        self._proto = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        self._is_open = False
        self._is_over = False
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._wanted_bytes = 0
        self._parts: list[bytes] = []
        self._parts_bytes = 0
        self._replies: list[bytes] = []

    def hello(self) -> bytes:
        """Return the handshake; the first that is sent."""
        extra = [(name.encode(), value.encode()) for name, value in self._headers]
        return self._proto.send(
            frames.Request(
                host=self._endpoint.authority,
                target=self._endpoint.target,
                extra_headers=extra,
            )
        )

    def text(self, payload: str) -> bytes:
        """Return ``payload`` as a text frame."""
        return self._proto.send(frames.TextMessage(data=payload))

    def ping(self) -> bytes:
        """Return an empty ping."""
        return self._proto.send(frames.Ping())

    def goodbye(self, code: int = 1000) -> bytes:
        """Return a closing frame; empty where the conversation is over already."""
        try:
            return self._proto.send(frames.CloseConnection(code=code))
        except LocalProtocolError:
            return b""

    def replies(self) -> list[bytes]:
        """Return, once, what the protocol itself has to answer: pongs, a close."""
        replies, self._replies = self._replies, []
        return replies

    def feed(self, data: bytes) -> list[Happening]:
        """Return what ``data`` completes, in order; nothing after a `Closed`.

        What is incomplete is held, up to one message of the longest size.
        """
        happenings: list[Happening] = []
        if self._is_over:
            return happenings
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes < self._wanted_bytes:
            return happenings
        buffer = data if len(self._held) == 1 else b"".join(self._held)
        self._wanted_bytes = 0
        rest = self._read(buffer, happenings)
        self._held = [rest] if rest else []
        self._held_bytes = len(rest)
        return happenings

    def _read(self, buffer: bytes, happenings: list[Happening]) -> bytes:
        """Return what is left over."""
        if not self._is_open:
            end = buffer.find(_END_OF_HEAD)
            if end < 0:
                if len(buffer) > HEAD_BYTES_MAX:
                    self._break_off(1002, "endless answer to the handshake", happenings)
                return buffer
            end += len(_END_OF_HEAD)
            self._shake_hands(buffer[:end], happenings)
            buffer = buffer[end:]
        return b"" if self._is_over else self._cut(buffer, happenings)

    def _shake_hands(self, head: bytes, happenings: list[Happening]) -> None:
        try:
            self._proto.receive_data(head)
            events = list(self._proto.events())
        except RemoteProtocolError as error:
            self._break_off(1002, f"handshake: {error}", happenings)
            return
        for event in events:
            if isinstance(event, frames.AcceptConnection):
                self._is_open = True
                happenings.append(Accepted())
            elif isinstance(event, frames.RejectConnection):
                self._is_over = True
                happenings.append(Rejected(event.status_code, _retry_after_s(event)))
        if not events:
            self._break_off(1002, "no answer to the handshake", happenings)

    def _cut(self, buffer: bytes, happenings: list[Happening]) -> bytes:
        """Cut whole frames out of ``buffer``; return what follows the last."""
        at, end = 0, len(buffer)
        while end - at >= HEAD_BYTES_MIN:
            first, size, body = buffer[at], buffer[at + 1], at + 2
            if size >= _SIZE_16:
                body = at + (4 if size == _SIZE_16 else 10)
                if size > _SIZE_64:
                    self._break_off(1002, "a masked frame", happenings)
                    return b""
                if body > end:
                    break
                size = int.from_bytes(buffer[at + 2 : body])
            stop = body + size
            if size > self._message_bytes_max:
                self._break_off(1009, f"a frame of {size} bytes", happenings)
                return b""
            if stop > end:
                self._wanted_bytes = stop - at
                break
            if first in WHOLE and not self._parts:
                happenings.append(buffer[body:stop])
            else:
                self._rare(buffer[at:stop], happenings)
                if self._is_over:
                    return b""
            at = stop
        return buffer[at:]

    def _rare(self, frame: bytes, happenings: list[Happening]) -> None:
        """Take one frame that is no whole message."""
        self._proto.receive_data(frame)
        for event in self._proto.events():
            if isinstance(event, frames.Ping):
                self._replies.append(self._proto.send(event.response()))
            elif isinstance(event, frames.Pong):
                happenings.append(Pong())
            elif isinstance(event, frames.CloseConnection):
                self._is_over = True
                self._replies.append(self._answer(event))
                happenings.append(Closed(int(event.code), event.reason or ""))
            elif isinstance(event, frames.TextMessage | frames.BytesMessage):
                self._piece(event, happenings)

    def _answer(self, event: frames.CloseConnection) -> bytes:
        try:
            return self._proto.send(event.response())
        except LocalProtocolError:
            return b""

    def _piece(
        self,
        event: frames.TextMessage | frames.BytesMessage,
        happenings: list[Happening],
    ) -> None:
        data = event.data
        self._parts.append(data.encode() if isinstance(data, str) else bytes(data))
        self._parts_bytes += len(self._parts[-1])
        if self._parts_bytes > self._message_bytes_max:
            self._break_off(1009, f"a message of {self._parts_bytes} bytes", happenings)
        elif event.message_finished:
            happenings.append(b"".join(self._parts))
            self._parts, self._parts_bytes = [], 0

    def _break_off(self, code: int, why: str, happenings: list[Happening]) -> None:
        self._is_over = True
        self._replies.append(self.goodbye(code) if self._is_open else b"")
        happenings.append(Closed(code, why))


def _retry_after_s(event: frames.RejectConnection) -> float | None:
    """Return the seconds of ``Retry-After``; a date is none (RFC 9110 10.2.3)."""
    for name, value in event.headers:
        if name.lower() == b"retry-after" and value.strip().isdigit():
            return float(value)
    return None
