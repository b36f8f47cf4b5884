"""What the desk answers about the past of its market, and how much it may be asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from holdfast_adapters.simulators.ib.desk import Desk
from holdfast_adapters.simulators.ib.layouts import ASKED_CONTRACT
from holdfast_adapters.simulators.ib.model import Refused
from holdfast_adapters.simulators.ib.peers import Peer

CONTRACT: Final = 12
"""How many fields a contract has in a request."""

UNITS_S: Final = {"sec": 1, "min": 60, "hou": 3600}
WORDS: Final = "Historical Market Data Service error message:"
IDENTICAL_S: Final = 15
WINDOW_S: Final = 600
IN_WINDOW: Final = 60
FORM: Final = "%Y%m%d-%H:%M:%S"


class PastAnswers:
    """Answers for bars; source: TWS API, "Historical Data Limitations"."""

    def __init__(self, desk: Desk) -> None:
        """Answer from ``desk``."""
        self._desk = desk
        self._asked: list[tuple[float, list[str]]] = []

    def answer(self, peer: Peer, fields: list[str]) -> None:
        """Answer one request for bars.

        Raises:
            Refused: nothing was traded, or too much was asked.
        """
        wanted = ASKED_CONTRACT.read(peer.version, fields[2 : 2 + CONTRACT])
        _, end, size, length, _, what, form, *_ = fields[2 + CONTRACT :]
        self._pace(fields[2:])
        if what != "TRADES" or form != "2" or not length.endswith(" S"):
            raise Refused(321, "Error validating request: not on this desk")
        contract = self._desk.found(wanted)[0]
        size_ms = _seconds(size) * 1000
        end_ms = self._moment_ms(end)
        first_ms = end_ms - int(length.split()[0]) * 1000
        made = self._desk.books[contract.con_id].between(size_ms, first_ms, end_ms - 1)
        traded = [each for each in made if each.trades]
        if not traded:
            raise Refused(162, f"{WORDS}HMDS query returned no data: {contract.symbol}")
        parts = [
            part
            for each in traded
            for part in (
                each.start_ms // 1000,
                each.open,
                each.high,
                each.low,
                each.close,
                each.volume,
                each.worth / each.volume,
                each.trades,
            )
        ]
        begin = datetime.fromtimestamp(first_ms / 1000, UTC).strftime(FORM)
        peer.say(17, fields[1], begin, end, len(traded), *parts)

    def _moment_ms(self, text: str) -> int:
        """Return a moment of UTC; none is now."""
        if not text:
            return self._desk.time_us // 1000
        moment = datetime.strptime(text, FORM).replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)

    def _pace(self, question: list[str]) -> None:
        now_s = self._desk.time_us / 1_000_000
        lately = [each for each in self._asked if each[0] > now_s - WINDOW_S]
        since_s = now_s - IDENTICAL_S
        same = [each for each in lately if each[0] > since_s and each[1] == question]
        self._asked = [*lately, (now_s, question)]
        if same or len(lately) >= IN_WINDOW:
            raise Refused(162, f"{WORDS}Historical data request pacing violation")


def _seconds(size: str) -> int:
    count, unit = size.split()
    return int(count) * UNITS_S[unit[:3]]
