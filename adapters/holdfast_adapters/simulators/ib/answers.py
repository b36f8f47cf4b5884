"""Requests to the desk and their answers, faults included; no sockets here."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Final

from holdfast_adapters.simulators.ib import messages
from holdfast_adapters.simulators.ib.desk import Desk
from holdfast_adapters.simulators.ib.faults import BEFORE, Fault, Faults
from holdfast_adapters.simulators.ib.layouts import (
    ASKED_CONTRACT,
    ASKED_ORDER,
    UNSET,
)
from holdfast_adapters.simulators.ib.model import Asked, Refused, SimContract, SimOrder
from holdfast_adapters.simulators.ib.past import CONTRACT, PastAnswers
from holdfast_adapters.simulators.ib.peers import Peer
from holdfast_adapters.simulators.ib.wire import Nonsense

FARMS: Final = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefil"),
)
IN_USE: Final = (
    "Unable to connect as the client id is already in use. "
    "Retry with a unique client id."
)
RT_VOLUME: Final = 48
LEDGER: Final = "$LEDGER"


class Answers:
    """Answers the requests of clients that are let in."""

    def __init__(
        self, desk: Desk, faults: Faults, in_use: Callable[[int], bool]
    ) -> None:
        """Answer from ``desk``; ``in_use`` tells whether a client id is."""
        self.lists_commissions = True
        """Whether a list of executions has their commissions."""

        self._desk = desk
        self._faults = faults
        self._in_use = in_use
        self._past = PastAnswers(desk)
        self._handlers: dict[int, tuple[str, Callable[[Peer, list[str]], None]]] = {
            1: ("market", self._market),
            2: ("", self._end_market),
            3: ("submit", self._place),
            4: ("cancel", self._cancel),
            5: ("open_orders", self._own_orders),
            6: ("account", self._account),
            7: ("executions", self._executions),
            8: ("", self._ids),
            9: ("contract", self._details),
            16: ("open_orders", self._all_orders),
            20: ("history", self._history),
            49: ("time", self._time),
            59: ("", self._nothing),
            61: ("positions", self._positions),
            62: ("account", self._summary),
            63: ("", self._nothing),
            64: ("", self._end_positions),
            71: ("connect", self._start),
            76: ("account", self._account_multi),
            77: ("", self._nothing),
            91: ("contract", self._rule),
            97: ("market", self._ticks),
            98: ("", self._end_ticks),
            99: ("completed_orders", self._completed),
        }

    def answer(self, peer: Peer, fields: list[str]) -> None:
        """Answer one request, or play the fault that waits for it."""
        number = int(fields[0])
        if number not in self._handlers:
            words = f"Fatal Error: Unknown message id. {number}"
            peer.error(-1, 505, words)
            return
        operation, handler = self._handlers[number]
        if operation == "submit" and self._known(peer, fields) is not None:
            operation = "replace"
        fault = self._faults.take(operation)
        if fault is None:
            self._try(peer, fields, handler)
        elif fault.kind in BEFORE:
            peer.break_off(fault)
            if fault.kind == "refused":
                refusal = fault.refusal()
                peer.error(_subject(fields), refusal.code, refusal.words)
        else:
            self._do(peer, fields, handler, fault)

    def _do(
        self,
        peer: Peer,
        fields: list[str],
        handler: Callable[[Peer, list[str]], None],
        fault: Fault,
    ) -> None:
        peer.hold_back()
        if fault.kind == "warned":
            warning = fault.refusal()
            peer.error(_subject(fields), warning.code, warning.words)
        self._try(peer, fields, handler)
        peer.let_go(fault)

    @staticmethod
    def _try(
        peer: Peer, fields: list[str], handler: Callable[[Peer, list[str]], None]
    ) -> None:
        try:
            handler(peer, fields)
        except Refused as refused:
            peer.error(_subject(fields), refused.code, refused.words)
        except (Nonsense, ValueError, InvalidOperation, IndexError) as error:
            peer.error(_subject(fields), 320, f"Error reading request. {error!r}")

    # --- the session --------------------------------------------------------------

    def _start(self, peer: Peer, fields: list[str]) -> None:
        client_id = int(fields[2])
        if self._in_use(client_id):
            peer.error(-1, 326, IN_USE)
            peer.close()
            return
        peer.client_id = client_id
        peer.say(15, 1, self._desk.account)
        peer.say(9, 1, self._desk.next_id(client_id))
        for code, words in FARMS:
            peer.error(-1, code, words)

    def _ids(self, peer: Peer, fields: list[str]) -> None:
        del fields
        peer.say(9, 1, self._desk.next_id(_client(peer)))

    def _time(self, peer: Peer, fields: list[str]) -> None:
        del fields
        peer.say(49, 1, self._desk.time_us // 1_000_000)

    def _nothing(self, peer: Peer, fields: list[str]) -> None:
        """Take what ends something that ends with its first answer here."""

    # --- orders -------------------------------------------------------------------

    def _known(self, peer: Peer, fields: list[str]) -> SimOrder | None:
        return self._desk.orders.get((_client(peer), int(fields[1])))

    def _place(self, peer: Peer, fields: list[str]) -> None:
        asked = self._asked(peer, fields)
        self._desk.place(asked)

    def _asked(self, peer: Peer, fields: list[str]) -> Asked:
        wanted = ASKED_CONTRACT.read(peer.version, fields[2 : 2 + CONTRACT])
        if wanted["kind"] == "BAG":
            raise Refused(321, "Error validating request: no combinations here")
        told = ASKED_ORDER.read(peer.version, fields[2 + CONTRACT :])
        if told["account"] not in ("", self._desk.account):
            raise Refused(321, f"Invalid account code '{told['account']}'.")
        return Asked(
            client_id=_client(peer),
            order_id=int(fields[1]),
            contract=self._desk.found(wanted)[0],
            action=told["action"],
            quantity=Decimal(told["quantity"]),
            type=told["type"],
            limit=_price(told["limit"]),
            aux=_price(told["aux"]),
            tif=told["tif"] or "DAY",
            account=told["account"] or self._desk.account,
            order_ref=told["order_ref"],
            exchange=wanted["exchange"] or "SMART",
            percent=_price(told["trail_percent"]),
            shown=int(told["display_size"] or 0),
            group=told["oca_group"],
            group_type=int(told["oca_type"] or 0),
            parent_id=int(told["parent_id"] or 0),
            transmit=told["transmit"] == "1",
        )

    def _cancel(self, peer: Peer, fields: list[str]) -> None:
        self._desk.cancel(_client(peer), int(fields[2]))

    def _own_orders(self, peer: Peer, fields: list[str]) -> None:
        del fields
        mine = peer.client_id
        orders = self._desk.open_orders()
        self._list(peer, [each for each in orders if each.asked.client_id == mine])

    def _all_orders(self, peer: Peer, fields: list[str]) -> None:
        del fields
        self._list(peer, self._desk.open_orders())

    @staticmethod
    def _list(peer: Peer, orders: list[SimOrder]) -> None:
        for each in orders:
            peer.push(messages.open_order(peer.version, each))
            peer.push(messages.order_status(each))
        peer.say(53, 1)

    def _completed(self, peer: Peer, fields: list[str]) -> None:
        del fields
        for each in self._desk.completed_orders():
            peer.push(messages.completed_order(peer.version, each))
        peer.say(102)

    def _executions(self, peer: Peer, fields: list[str]) -> None:
        request_id, client_id = int(fields[2]), int(fields[3] or 0)
        for each in self._desk.executions:
            if client_id in (0, each.order.asked.client_id):
                peer.push(messages.execution(peer.version, each, request_id))
                if self.lists_commissions:
                    peer.push(messages.commission(each))
        peer.say(55, 1, request_id)

    # --- contracts ----------------------------------------------------------------

    def _details(self, peer: Peer, fields: list[str]) -> None:
        request_id = int(fields[2])
        wanted = ASKED_CONTRACT.read(peer.version, fields[3 : 3 + CONTRACT])
        for each in self._desk.found(wanted):
            peer.push(messages.details(peer.version, request_id, each))
        peer.say(52, 1, request_id)

    def _rule(self, peer: Peer, fields: list[str]) -> None:
        rules = {each.rule: each.increments for each in self._desk.contracts.values()}
        number = int(fields[1])
        if number not in rules:
            raise Refused(321, f"Error validating request: no market rule {number}")
        parts = [part for band in rules[number] for part in band]
        peer.say(93, number, len(rules[number]), *parts)

    # --- the account --------------------------------------------------------------

    def _positions(self, peer: Peer, fields: list[str]) -> None:
        del fields
        peer.hears_positions = True
        for con_id, held in self._desk.positions.items():
            if held.quantity:
                contract = self._desk.contracts[con_id]
                peer.push(messages.position(self._desk.account, contract, held))
        peer.say(62, 1)

    def _end_positions(self, peer: Peer, fields: list[str]) -> None:
        del fields
        peer.hears_positions = False

    def _account(self, peer: Peer, fields: list[str]) -> None:
        peer.hears_account = fields[2] == "1"
        if peer.hears_account:
            account = self._desk.account
            for data in messages.account_values(account, self._desk.values()):
                peer.push(data)
            peer.say(54, 1, account)

    def _account_multi(self, peer: Peer, fields: list[str]) -> None:
        request_id, account = int(fields[2]), fields[3]
        for key, value, unit in self._desk.values():
            peer.say(73, 1, request_id, account, "", key, value, unit)
        peer.say(74, 1, request_id)

    def _summary(self, peer: Peer, fields: list[str]) -> None:
        request_id, tags = int(fields[2]), fields[4]
        values = self._desk.values()
        if tags.startswith(LEDGER):
            cash = f"{self._desk.cash:f}"
            values = [("CashBalance", cash, "USD"), ("CashBalance", cash, "BASE")]
        for key, value, unit in values:
            if tags.startswith(LEDGER) or key in tags.split(","):
                peer.say(63, 1, request_id, self._desk.account, key, value, unit)
        peer.say(64, 1, request_id)

    # --- the market ---------------------------------------------------------------

    def _market(self, peer: Peer, fields: list[str]) -> None:
        request_id = int(fields[2])
        wanted = ASKED_CONTRACT.read(peer.version, fields[3 : 3 + CONTRACT])
        contract = self._desk.found(wanted)[0]
        is_snapshot = fields[3 + CONTRACT + 2] == "1"
        peer.say(81, request_id, contract.tick, "9c0001", 3)
        peer.say(58, 1, request_id, 1)
        price = self._desk.last_price(contract)
        if price is not None:
            tell_quote(peer, request_id, contract, price)
        if is_snapshot:
            peer.say(57, 1, request_id)
        else:
            peer.tickers[request_id] = contract

    def _end_market(self, peer: Peer, fields: list[str]) -> None:
        peer.tickers.pop(int(fields[2]), None)

    def _ticks(self, peer: Peer, fields: list[str]) -> None:
        wanted = ASKED_CONTRACT.read(peer.version, fields[2 : 2 + CONTRACT])
        peer.ticks[int(fields[1])] = self._desk.found(wanted)[0]

    def _end_ticks(self, peer: Peer, fields: list[str]) -> None:
        peer.ticks.pop(int(fields[1]), None)

    def _history(self, peer: Peer, fields: list[str]) -> None:
        self._past.answer(peer, fields)


def tell_quote(
    peer: Peer, request_id: int, contract: SimContract, price: Decimal
) -> None:
    """Tell the best bid and ask, a tick around the last price, and that price."""
    sides = ((1, price - contract.tick, 300), (2, price + contract.tick, 400))
    for kind, at, size in (*sides, (4, price, 100)):
        peer.say(1, 6, request_id, kind, at, size, 0)


def _client(peer: Peer) -> int:
    if peer.client_id is None:
        raise Refused(504, "Not connected")
    return peer.client_id


def _price(text: str) -> Decimal | None:
    return None if text in ("", UNSET) else Decimal(text)


def _subject(fields: list[str]) -> int:
    """Return the id that an error about a request has."""
    place = {1: 2, 3: 1, 4: 2, 7: 2, 9: 2, 20: 1, 62: 2, 76: 2, 97: 1}
    at = place.get(int(fields[0]))
    return -1 if at is None else int(fields[at])
