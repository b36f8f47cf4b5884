"""Bare WebSocket clients: the same messages, taken and decoded by nobody.

Messages per second of one core's time, as ours: the processor of this process alone.
Each imports its library itself, as only that one is in its environment.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from feed import END, MESSAGES, served

TEXT_END = END.decode()


def trio_websocket(url: str) -> int:
    """trio-websocket, with a queue and a buffer that suit a flood."""
    import trio  # noqa: PLC0415
    from trio_websocket import open_websocket_url  # noqa: PLC0415

    async def main() -> int:
        count = 0
        async with open_websocket_url(
            url, message_queue_size=4096, receive_buffer_size=65536
        ) as ws:
            await ws.send_message("go")
            while await ws.get_message() != TEXT_END:
                count += 1
        return count

    return trio.run(main)


def wsproto(url: str) -> int:
    """wsproto on a trio stream, all events of one read together."""
    import trio  # noqa: PLC0415
    from wsproto import ConnectionType, WSConnection, events  # noqa: PLC0415

    port = int(url.rsplit(":", 1)[1].strip("/"))

    async def main() -> int:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        ws = WSConnection(ConnectionType.CLIENT)
        await stream.send_all(ws.send(events.Request(host="x", target="/")))
        ws.receive_data(await stream.receive_some(4096))
        list(ws.events())
        await stream.send_all(ws.send(events.TextMessage(data="go")))
        count, parts = 0, []
        while True:
            ws.receive_data(await stream.receive_some(65536))
            for event in ws.events():
                parts.append(event.data)
                if not event.message_finished:
                    continue
                text = "".join(parts)
                parts.clear()
                if text == TEXT_END:
                    return count
                count += 1

    return trio.run(main)


def websockets(url: str) -> int:
    """The websockets library on asyncio."""
    from websockets.asyncio.client import connect  # noqa: PLC0415

    async def main() -> int:
        count = 0
        async with connect(url, compression=None, max_queue=None) as ws:
            await ws.send("go")
            while await ws.recv() != TEXT_END:
                count += 1
        return count

    return asyncio.run(main())


def aiohttp(url: str) -> int:
    """aiohttp's client on asyncio."""
    from aiohttp import ClientSession  # noqa: PLC0415

    async def main() -> int:
        count = 0
        async with ClientSession() as session, session.ws_connect(url) as ws:
            await ws.send_str("go")
            while (await ws.receive()).data != TEXT_END:
                count += 1
        return count

    return asyncio.run(main())


CLIENTS = {
    "trio-websocket": trio_websocket,
    "wsproto": wsproto,
    "websockets": websockets,
    "aiohttp": aiohttp,
}

if __name__ == "__main__":
    client = CLIENTS[sys.argv[2]]
    with served() as address:
        began_s = time.process_time()
        messages = client(address)
        took_s = time.process_time() - began_s
    if messages != MESSAGES:
        sys.exit(f"got {messages} messages")
    print(json.dumps({"value": MESSAGES / took_s, "messages": messages}))
