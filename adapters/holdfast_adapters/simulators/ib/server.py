"""The desk on a port: clients that come and go, and what they are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Final

import trio

from holdfast_adapters.simulators.ib import messages
from holdfast_adapters.simulators.ib.answers import (
    FARMS,
    RT_VOLUME,
    Answers,
    tell_quote,
)
from holdfast_adapters.simulators.ib.desk import Desk
from holdfast_adapters.simulators.ib.faults import Fault, Faults
from holdfast_adapters.simulators.ib.model import (
    SimContract,
    SimExecution,
    SimOrder,
    What,
)
from holdfast_adapters.simulators.ib.peers import NONSENSE, Peer
from holdfast_adapters.simulators.ib.wire import Messages, Nonsense
from holdfast_adapters.simulators.serving import BROKEN, CHUNK, reset

NEWEST: Final = 178
"""The newest version that speaks in text."""

STRIKES: Final = 3
"""How often a client may ask too much before it is cut off."""

LOST: Final = (1100, "Connectivity between IBKR and Trader Workstation has been lost.")
RESTORED: Final = (
    "Connectivity between IBKR and Trader Workstation has been restored - data "
)
FARM_BROKEN: Final = (2103, "Market data farm connection is broken:usfarm")
TOLD_TRADES: Final = "told"
"""What the trades are counted as that somebody was told."""

OPERATIONS: Final = {
    What.OPEN: "orders",
    What.STATUS: "orders",
    What.CANCELED: "orders",
    What.EXECUTION: "fills",
    What.COMMISSION: "commissions",
}


class TwsSimulator:
    """Serves one desk to any number of clients, with faults to switch on."""

    def __init__(
        self, desk: Desk, *, version: int = NEWEST, messages_per_s: int | None = None
    ) -> None:
        """Speak as a server of ``version``.

        ``messages_per_s`` is how much a client may ask; None for any number.
        """
        self.desk = desk
        self.faults = Faults()
        self.peers: list[Peer] = []
        self.asked = trio.Event()
        """Set, and made anew, whenever a request was answered or is held."""

        self.heard: list[list[str]] = []
        """The requests of all clients, in order."""

        self.is_connected = True
        self.is_silent = False
        """Whether the market is not told, as when a data farm is away."""

        self.is_down = False
        """Whether connections are refused, as at a restart."""

        self.is_taken = False
        """Whether every client id seems to be in use."""

        self.messages_per_s = messages_per_s
        self.slow_s = 0.0
        """How long each request waits before it is read."""

        self.met: Counter[str] = Counter()
        """What has met each fault of TWS itself, and the trades that were told."""

        self._version = version
        self.answers = Answers(desk, self.faults, self._is_in_use)
        self._late: list[bytes] = []
        self._strikes: dict[Peer, int] = {}
        desk.on_order.append(self._tell)
        desk.on_market.append(self._trade)

    # --- what happens to TWS itself -------------------------------------------------

    def lose_connectivity(self) -> None:
        """Lose the line to IB's servers: nothing is told, and no order is taken."""
        self.is_connected = False
        self.broadcast(*LOST)

    def restore_connectivity(self, *, lost: bool) -> None:
        """Have the line again; if data was ``lost``, no subscription is alive."""
        self.is_connected = True
        code, words = (1101, "lost.") if lost else (1102, "maintained.")
        if lost:
            for each in self.peers:
                each.tickers.clear()
                each.ticks.clear()
        self.broadcast(code, RESTORED + words)

    def broadcast(self, code: int, words: str) -> None:
        """Tell all clients something that is about no request."""
        for each in self.peers:
            each.error(-1, code, words)

    def lose_farm(self) -> None:
        """Lose the line to the market's data: nothing of it is told."""
        self.is_silent = True
        self.broadcast(*FARM_BROKEN)

    def restore_farm(self) -> None:
        """Have the market's data again; subscriptions are alive."""
        self.is_silent = False
        self.broadcast(*FARMS[0])

    def drop(self) -> None:
        """Close all connections, as at a restart of TWS."""
        for each in list(self.peers):
            each.close()

    # --- clients ----------------------------------------------------------------------

    async def run(
        self,
        port: int = 0,
        task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Listen on the loopback address; port 0 takes a free one. Runs until it ends.

        Raises:
            OSError: the port is taken.
        """
        (listener,) = await trio.open_tcp_listeners(port, host="127.0.0.1")
        task_status.started(int(listener.socket.getsockname()[1]))
        await trio.serve_listeners(self._serve, [listener])

    async def _serve(self, stream: trio.SocketStream) -> None:
        if self.is_down:
            self.met["restart"] += 1
            reset(stream)
            return
        peer = Peer(stream)
        self.peers.append(peer)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(peer.write)
                await self._read(peer)
                nursery.cancel_scope.cancel()
        except* (Nonsense, ValueError, *BROKEN):
            pass
        finally:
            self.peers.remove(peer)
            self._strikes.pop(peer, None)
            self.desk.left(peer.client_id)
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)

    async def _read(self, peer: Peer) -> None:
        cut = Messages()
        while data := await peer.stream.receive_some(CHUNK):
            for fields in cut.take(data):
                if self.slow_s:
                    self.met["slow"] += 1
                    await trio.sleep(self.slow_s)
                if not peer.version:
                    self._greet(peer, fields)
                elif not peer.is_mute:
                    self._take(peer, fields)

    def _greet(self, peer: Peer, fields: list[str]) -> None:
        """Agree on a version: the newest that both speak."""
        _, _, newest = fields[0].split(" ")[0].removeprefix("v").partition("..")
        peer.version = min(int(newest), self._version)
        peer.say(peer.version, messages.moment(self.desk.time_us))

    def _take(self, peer: Peer, fields: list[str]) -> None:
        self.heard.append(fields)
        if self._is_too_fast(peer):
            return
        is_order = fields[0] in ("3", "4")
        if self.is_connected or not is_order:
            self.answers.answer(peer, fields)
        else:
            self.met["connectivity"] += 1
        self.asked.set()
        self.asked = trio.Event()

    def _is_too_fast(self, peer: Peer) -> bool:
        """Tell whether a request is one too many; the third time ends it."""
        if self.messages_per_s is None:
            return False
        now_us = self.desk.time_us
        peer.asked = [at for at in peer.asked if at > now_us - 1_000_000]
        peer.asked.append(now_us)
        if len(peer.asked) <= self.messages_per_s:
            return False
        self.met["pacing"] += 1
        words = "Max rate of messages per second has been exceeded:max={} rec={} (1)"
        peer.error(-1, 100, words.format(self.messages_per_s, len(peer.asked)))
        strikes = self._strikes[peer] = self._strikes.get(peer, 0) + 1
        if strikes == STRIKES:
            peer.close()
        return True

    def _is_in_use(self, client_id: int) -> bool:
        self.met["in_use"] += self.is_taken
        return self.is_taken or any(each.client_id == client_id for each in self.peers)

    # --- what is told -----------------------------------------------------------------

    def _tell(self, what: What, order: SimOrder, made: SimExecution | None) -> None:
        if not self.is_connected:
            self.met["connectivity"] += 1
            return
        for peer in self.peers:
            if peer.client_id == order.asked.client_id:
                self._tell_one(peer, what, order, made)
            if what is What.EXECUTION and peer.hears_positions:
                contract = order.asked.contract
                held = self.desk.positions[contract.con_id]
                peer.push(messages.position(self.desk.account, contract, held))

    def _tell_one(
        self, peer: Peer, what: What, order: SimOrder, made: SimExecution | None
    ) -> None:
        fault = self.faults.take(OPERATIONS[what])
        true, strange = (
            order.status,
            fault is not None and fault.kind == "strange_status",
        )
        if strange:
            order.status = "Bewildered"
        data = _told(peer, what, order, made)
        order.status = true
        late, self._late = self._late, []
        if fault is None or strange:
            peer.push(data)
        else:
            self._play(peer, data, fault)
        for each in late:
            peer.push(each)

    def _play(self, peer: Peer, data: bytes, fault: Fault) -> None:
        match fault.kind:
            case "duplicate":
                peer.push(data)
                peer.push(data)
            case "reordered":
                self._late.append(data)
            case "torn_frame":
                peer.tear(data)
            case "closed":
                peer.close()
            case "half_open":
                peer.is_mute = True
            case "nonsense":
                peer.push(NONSENSE)
                peer.push(data)
            case _:
                pass  # missing

    @property
    def _market_fault(self) -> str:
        """Why the market is not told; `TOLD_TRADES` if it is."""
        if not self.is_connected:
            return "connectivity"
        return "farm" if self.is_silent else TOLD_TRADES

    def _trade(self, contract: SimContract, price: Decimal, quantity: Decimal) -> None:
        at_ms = self.desk.time_us // 1000
        asked = [
            p
            for p in self.peers
            if contract in (*p.tickers.values(), *p.ticks.values())
        ]
        self.met[self._market_fault] += len(asked)
        for peer in asked if self._market_fault == TOLD_TRADES else ():
            for request_id, each in peer.tickers.items():
                if each is contract:
                    tell_quote(peer, request_id, contract, price)
                    told = f"{price};{quantity};{at_ms};{quantity};{price};true"
                    peer.say(46, 6, request_id, RT_VOLUME, told)
            for request_id, each in peer.ticks.items():
                if each is contract:
                    at_s = at_ms // 1000
                    peer.say(
                        99,
                        request_id,
                        1,
                        at_s,
                        price,
                        quantity,
                        0,
                        contract.primary,
                        "",
                    )


def _told(peer: Peer, what: What, order: SimOrder, made: SimExecution | None) -> bytes:
    if made is not None:
        if what is What.EXECUTION:
            return messages.execution(peer.version, made)
        return messages.commission(made)
    if what is What.OPEN:
        return messages.open_order(peer.version, order)
    if what is What.STATUS:
        return messages.order_status(order)
    number = order.asked.order_id
    return messages.error(
        peer.version, number, 202, f"Order Canceled - reason:{order.why}"
    )


@asynccontextmanager
async def serving_tws(simulator: TwsSimulator, port: int = 0) -> AsyncIterator[int]:
    """Serve ``simulator`` while the block runs; gives the port."""
    async with trio.open_nursery() as nursery:
        yield await nursery.start(simulator.run, port)
        nursery.cancel_scope.cancel()
