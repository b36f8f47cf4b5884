"""What is left of a connection whose session died, or that IB lets wait."""

from __future__ import annotations

import pytest
import trio

from holdfast_adapters.ib import Address, Line
from holdfast_adapters.ib.pacing import RESERVE, Pacer
from holdfast_runtime.threads import PykkaAsyncioHost

from .desk import LONG_S, office
from .test_venue import ZONE, venue_at

pytest.importorskip("ib_async")


async def test_a_session_that_died_leaves_its_client_id_to_the_next() -> None:
    async with office() as desk:
        dead = venue_at(desk)  # it is kept, so that nothing is collected
        await dead.connect()
        desk.host.close()  # all that is done for a session that died
        with trio.fail_after(LONG_S):
            while desk.simulator.peers:  # noqa: ASYNC110 - no one tells
                await trio.sleep(0.01)
        host = PykkaAsyncioHost(name="next")
        following = venue_at(desk, host=host)
        await following.connect()
        await following.close()
        host.close()


async def test_a_connection_that_was_never_opened_ends_with_its_loop() -> None:
    began, ended = trio.Event(), trio.Event()

    async def say_nothing(stream: trio.SocketStream) -> None:
        began.set()
        try:
            while await stream.receive_some():
                pass
        except trio.BrokenResourceError:
            pass
        ended.set()

    async with office() as desk, trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, say_nothing, [listener])
        port = int(listener.socket.getsockname()[1])
        line = Line(address=Address("127.0.0.1", port), client_id=3, zone=ZONE)
        dead = venue_at(desk, line=line)

        async def connect() -> None:
            with pytest.raises(Exception, match="closed"):
                await dead.connect()

        nursery.start_soon(connect)
        await began.wait()
        desk.host.close()
        with trio.fail_after(LONG_S):
            await ended.wait()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("asked", [0, 1, 3])
async def test_what_ib_wants_to_wait_waits_however_little_was_asked(asked: int) -> None:
    async def play() -> float:
        pacer = Pacer(per_s=RESERVE + 5)
        for _ in range(asked):
            await pacer.pace()
        pacer.hold(0.05)
        began = pacer.sight().used
        await pacer.pace()
        return began

    async with office() as desk:
        assert await desk.host.run(play, deadline_s=LONG_S) == asked
