"""What is measured: every case, our program for it, and the programs of the peers.

A program is a script that measures once and prints, as its last line, one JSON
object: ``{"value": number}``, in the case's unit, with ``"p99": number`` too if the
case has one, and whatever else tells that the work was done (``"fills"``,
``"messages"``), which is shown and not compared.  Anything before that line is
passed over; a status other than 0 is a failure.

To add one of ours, write the script beside this file under the name that its case
gives below: the case is skipped, and says so, as long as the file is not there.
To add a case or a peer, add it to `CASES`; a peer with an environment of its own
needs an entry in `environments.PINS` too.
"""

from __future__ import annotations

from pathlib import Path

import attrs

HERE = Path(__file__).parent


@attrs.frozen(kw_only=True)
class Program:
    """A script that prints one figure, and the environment that it runs in.

    Attributes:
        script: the file, relative to this folder.
        environment: a key of `environments.PINS`, or None for our own.
        arguments: what the script is called with, after the folder of the data.
    """

    script: str
    environment: str | None = None
    arguments: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where the script is, or would be."""
        return HERE / self.script


@attrs.frozen(kw_only=True)
class Case:
    """One figure of ours, and the same figure of each peer.

    Attributes:
        id: as `docs/design.md` names it.
        unit: `…/s` if more is better; of anything else less is better.
        has_p99: whether each program prints a 99th percentile as well.
    """

    id: str
    unit: str
    ours: Program
    peers: dict[str, Program] = attrs.field(factory=dict)
    has_p99: bool = False

    @property
    def more_is_better(self) -> bool:
        """Whether a larger figure wins."""
        return self.unit.endswith("/s")


def _many(id_: str, unit: str, mode: str) -> Case:
    """A figure of many actors."""
    return Case(
        id=id_,
        unit=unit,
        ours=Program(script=f"ours_{id_}.py"),
        peers={
            "pykka": Program(script="peers/pykka_many.py", arguments=(mode,)),
            "trio tasks": Program(script="peers/trio_many.py", arguments=(mode,)),
        },
    )


CASES = (
    Case(
        id="tell",
        unit="msg/s",
        ours=Program(script="ours_tell.py"),
        peers={
            "pykka": Program(script="peers/pykka_tell.py"),
            "pykka, one core": Program(
                script="peers/pykka_tell.py", arguments=("--one-core",)
            ),
            "trio memory channel": Program(script="peers/trio_tell.py"),
        },
    ),
    Case(
        id="ask",
        unit="µs",
        ours=Program(script="ours_ask.py"),
        peers={
            "pykka": Program(script="peers/pykka_ask.py"),
            "pykka, one core": Program(
                script="peers/pykka_ask.py", arguments=("--one-core",)
            ),
            "trio memory channel": Program(script="peers/trio_ask.py"),
        },
        has_p99=True,
    ),
    _many("restart_one_of_10k", "µs", "restart_one"),
    _many("mass_restart_10k", "µs/actor", "mass_restart"),
    _many("actor_bytes", "B", "bytes"),
    Case(
        id="kill_behind_backlog",
        unit="ms",
        ours=Program(script="ours_kill_behind_backlog.py"),
        peers={"pykka": Program(script="peers/pykka_backlog.py")},
    ),
    *(
        Case(
            id=f"flood_memory_{policy}",
            unit="times",
            ours=Program(script="ours_flood_memory.py", arguments=(policy,)),
            peers={"pykka": Program(script="peers/pykka_flood.py")},
        )
        for policy in ("block", "drop_oldest", "conflate", "crash")
    ),
    Case(
        id="sim_deliveries",
        unit="msg/s",
        ours=Program(script="ours_sim_deliveries.py"),
    ),
    Case(
        id="backtest_sma_1",
        unit="bars/s",
        ours=Program(script="ours_backtest_sma_1.py"),
        peers={
            "backtrader": Program(
                script="peers/backtrader_sma.py", environment="backtrader"
            ),
            "backtesting.py": Program(
                script="peers/backtesting_sma.py", environment="backtesting"
            ),
            "NautilusTrader": Program(
                script="peers/nautilus_sma.py", environment="nautilus_trader"
            ),
        },
    ),
    Case(
        id="backtest_sma_20",
        unit="bars/s",
        ours=Program(script="ours_backtest_sma_20.py"),
        peers={
            # backtesting.py takes one instrument.
            "backtrader": Program(
                script="peers/backtrader_sma_20.py", environment="backtrader"
            ),
            "NautilusTrader": Program(
                script="peers/nautilus_sma_20.py", environment="nautilus_trader"
            ),
        },
    ),
    Case(
        id="live_ticks",
        unit="ticks/s",
        ours=Program(script="ours_live_ticks.py"),
        peers={
            "NautilusTrader": Program(
                script="peers/nautilus_live.py",
                environment="nautilus_trader",
                arguments=("ticks",),
            )
        },
    ),
    Case(
        id="live_quote_to_fill",
        unit="µs",
        ours=Program(script="ours_live_quote_to_fill.py"),
        peers={
            "NautilusTrader": Program(
                script="peers/nautilus_live.py",
                environment="nautilus_trader",
                arguments=("quote_to_fill",),
            )
        },
        has_p99=True,
    ),
    Case(
        id="live_quote_to_fill_sqlite",
        unit="commits/hop",
        ours=Program(script="ours_live_quote_to_fill_sqlite.py"),
    ),
    Case(
        id="stream_to_strategy",
        unit="µs",
        ours=Program(script="ours_stream_to_strategy.py"),
        has_p99=True,
    ),
    Case(
        id="stream_to_strategy_durable",
        unit="µs",
        ours=Program(script="ours_stream_to_strategy.py", arguments=("--durable",)),
        has_p99=True,
    ),
    Case(
        id="order_to_wire",
        unit="µs",
        ours=Program(script="ours_order_to_wire.py"),
        has_p99=True,
    ),
    Case(
        id="order_to_wire_durable",
        unit="µs",
        ours=Program(script="ours_order_to_wire.py", arguments=("--durable",)),
        has_p99=True,
    ),
    Case(
        id="stream_recovery",
        unit="s",
        ours=Program(script="ours_stream_recovery.py"),
    ),
    Case(
        id="journal_durable",
        unit="events/s",
        ours=Program(script="ours_journal_durable.py"),
    ),
    Case(
        id="recovery_100k",
        unit="s",
        ours=Program(script="ours_recovery_100k.py"),
    ),
    Case(
        id="recovery_100k_snapshot",
        unit="s",
        ours=Program(script="ours_recovery_100k.py", arguments=("--snapshot",)),
    ),
    Case(
        id="snapshot_1k_positions",
        unit="ms",
        ours=Program(script="ours_snapshot_1k_positions.py"),
    ),
    Case(
        id="reconcile_1k",
        unit="ms",
        ours=Program(script="ours_reconcile_1k.py"),
    ),
    Case(
        id="ws_decode",
        unit="msg/s",
        ours=Program(script="ours_ws_decode.py"),
        peers={
            name: Program(
                script="peers/bare_websocket.py",
                environment=environment,
                arguments=(name,),
            )
            for name, environment in (
                ("trio-websocket", None),
                ("wsproto", None),
                ("websockets", "websockets"),
                ("aiohttp", "aiohttp"),
            )
        },
    ),
    Case(
        id="live_rss",
        unit="MB",
        ours=Program(script="ours_live_rss.py"),
        peers={
            "NautilusTrader at its start": Program(
                script="peers/nautilus_live.py",
                environment="nautilus_trader",
                arguments=("rss",),
            )
        },
    ),
    Case(
        id="thread_round_trip",
        unit="µs",
        ours=Program(script="ours_round_trip.py"),
        peers={"bare bridge": Program(script="peers/bare_bridge.py")},
    ),
    Case(
        id="asyncio_round_trip",
        unit="µs",
        ours=Program(script="ours_round_trip.py", arguments=("--asyncio",)),
        peers={
            "bare bridge": Program(
                script="peers/bare_bridge.py", arguments=("--asyncio",)
            )
        },
    ),
)
