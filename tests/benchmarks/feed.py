"""Binance trades as they were recorded, served over a real socket for a benchmark.

Run as a program, it serves one round to each connection on a port that it prints:
after the client's first message it sends every frame, many to a write, as a busy
venue's do, and then ``{"end":1}``. It runs on the standard library alone, so that
peers in environments of their own can start it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MESSAGES = 100_000
FRAMES_PER_WRITE = 50
END = b'{"end":1}'
RECORDING = (
    Path(__file__).parents[3]
    / "shared/data/ws_raw/hftbacktest/spot/btcusdt_20240808.jsonl.gz"
)
_SAMPLE = (
    b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT",'
    b'"t":%d,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}'
)
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def trades() -> list[bytes]:
    """`MESSAGES` trades: recorded ones, or one of them again where there are none."""
    if not RECORDING.exists():
        return [_SAMPLE % number for number in range(MESSAGES)]
    with gzip.open(RECORDING) as lines:
        found = [line.split(b" ", 1)[1].strip() for line in lines if b'"trade"' in line]
    return [found[number % len(found)] for number in range(MESSAGES)]


def framed(payload: bytes) -> bytes:
    """A whole text message from the server (RFC 6455 5.2), of up to 65 535 bytes."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    return b"\x81" + length + payload


def serve() -> None:
    """Serve until killed."""
    frames = [framed(each) for each in [*trades(), END]]
    writes = [
        b"".join(frames[at : at + FRAMES_PER_WRITE])
        for at in range(0, len(frames), FRAMES_PER_WRITE)
    ]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                _greet(connection)
                connection.recv(4096)
                for write in writes:
                    connection.sendall(write)
                connection.recv(4096)


def _greet(connection: socket.socket) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    names = [line.split(b": ", 1) for line in head.split(b"\r\n")]
    (key,) = [each[1] for each in names if each[0].lower() == b"sec-websocket-key"]
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


@contextmanager
def served() -> Iterator[str]:
    """Serve from a process of its own; yields the URL."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            yield f"ws://127.0.0.1:{int(server.stdout.readline())}/"
        finally:
            server.kill()


if __name__ == "__main__":
    serve()
