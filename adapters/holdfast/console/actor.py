"""The console's actor: a Unix socket that takes one JSON object a line.

It listens on ``DIR/control.sock`` (mode 0600). A request is ``{"command": ...}``; an
answer is ``{"ok": true, ...}`` or ``{"ok": false, "error": ...}``. It watches for the
file ``DIR/HALT`` too.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import trio

from holdfast.console.orders import order_json, resolve_of
from holdfast.console.reconciliation import policies_of, report_json
from holdfast.console.status import status_of
from holdfast_actors.degradation import Restore
from holdfast_actors.keeping import Keeper
from holdfast_actors.messages import Halt, Report, Resume
from holdfast_actors.reconciliation.messages import ReconcileNow
from holdfast_actors.tree import GUARD, ORDERS, RECONCILER, Parts
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import DomainError, InputError
from holdfast_runtime import ActorSpec, Context, Killed, LiveEngine
from holdfast_runtime.tree import snapshot

ANSWER_S = 5.0
POLL_S = 0.5
LINE_BYTES_MAX = 65_536


@attrs.define
class Desk:
    """What the console stands on: filled in when the engine is made."""

    mode: str
    pid: int
    directory: StateDir
    engine: LiveEngine | None = None
    parts: Parts | None = None
    keeper: Keeper | None = None
    twins: dict[str, Callable[[], dict[str, Any] | None]] = attrs.field(factory=dict)
    """By venue, what says how strategies go on on paper; None where they do not."""

    def attach(self, engine: LiveEngine, parts: Parts) -> None:
        """Say which engine is asked."""
        self.engine = engine
        self.parts = parts


def console_spec(desk: Desk) -> ActorSpec:
    """Return the console as a child of the trading family."""
    return ActorSpec(name="console", build=lambda ctx: Console(desk, ctx), waits_for=())


class Console:
    """Serves the control socket; owns no state."""

    def __init__(self, desk: Desk, ctx: Context) -> None:
        self._desk = desk
        self._guard = ctx.ref(GUARD)
        self._orders = ctx.ref(ORDERS)
        self._reconciler = ctx.ref(RECONCILER)
        self._commands: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "status": self._status,
            "tree": self._tree,
            "orders": self._list_orders,
            "resolve": self._resolve,
            "reconcile": self._reconcile,
            "reconcile_policy": self._reconcile_policy,
            "reconciliation": self._reconciliation,
            "halt": self._halt,
            "resume": self._resume,
            "restart": self._restart,
            "kill": self._kill,
        }

    def handle(self, message: object) -> None:
        """Take no messages: all comes by the socket."""
        message_text = f"the console takes no messages, got {message!r}"
        raise TypeError(message_text)

    async def run(self) -> None:
        """Serve until cancelled; a client's error never ends it."""
        listener = _listen(self._desk.directory)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_file)
            await trio.serve_listeners(self._serve, [listener])

    async def _watch_file(self) -> None:
        path = self._desk.directory.halt
        while True:
            if path.exists():
                await self._guard.send(Halt(f"the file {path.name} exists", "file"))
            await trio.sleep(POLL_S)

    async def _serve(self, stream: trio.SocketStream) -> None:
        buffer = b""
        try:
            async for chunk in stream:
                buffer += chunk
                while b"\n" in buffer:
                    line, _, buffer = buffer.partition(b"\n")
                    await stream.send_all(await self._answer(line) + b"\n")
                if len(buffer) > LINE_BYTES_MAX:
                    return
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    async def _answer(self, line: bytes) -> bytes:
        try:
            request = json.loads(line)
            command = self._commands[request["command"]]
            answer = {"ok": True, **(await command(request))}
        except Exception as error:  # noqa: BLE001 - the client is told
            text = f"{type(error).__name__}: {error}"
            answer = {"ok": False, "error": text}
        return json.dumps(answer).encode()

    async def _status(self, request: dict[str, Any]) -> dict[str, Any]:
        del request
        engine, parts = self._engine()
        return {"status": await status_of(self._desk, engine, parts)}

    async def _tree(self, request: dict[str, Any]) -> dict[str, Any]:
        """Picture the tree; asks no actor, so that it answers whoever is down."""
        del request
        engine, _ = self._engine()
        tree = snapshot(engine).to_json()
        return {"pid": self._desk.pid, "mode": self._desk.mode, "tree": tree}

    async def _list_orders(self, request: dict[str, Any]) -> dict[str, Any]:
        del request
        rows = await self._orders.ask(Report(), deadline_s=ANSWER_S)
        return {"orders": [order_json(row) for row in rows]}

    async def _resolve(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take a person's word; it is answered when its record is durable."""
        order_id, filled = _text(request, "order_id"), request.get("filled")
        if filled is not None:
            filled = _text(request, "filled")
        by, because = _text(request, "by"), _text(request, "because")
        message = resolve_of(order_id, filled, by, because)
        refused = await self._orders.ask(message, deadline_s=ANSWER_S)
        if refused:
            raise DomainError(refused)
        rows = await self._orders.ask(Report(), deadline_s=ANSWER_S)
        (row,) = (each for each in rows if each.order_id == order_id)
        return {"order": order_json(row)}

    async def _reconcile(self, request: dict[str, Any]) -> dict[str, Any]:
        """Let the books be compared; answered at once with the number it will have."""
        message = ReconcileNow(_text(request, "by"), bool(request.get("any_size")))
        run = await self._reconciler.ask(message, deadline_s=ANSWER_S)
        return {"run": run}

    async def _reconcile_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        """Choose what is done about differences; answered when it is durable."""
        texts = request.get("policies")
        if not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
            raise InputError("policies", "a list of texts", repr(texts))
        consent = bool(request.get("consent"))
        message = policies_of(texts, _text(request, "by"), consent=consent)
        refused = await self._reconciler.ask(message, deadline_s=ANSWER_S)
        if refused:
            raise DomainError(refused)
        return await self._reconciliation(request)

    async def _reconciliation(self, request: dict[str, Any]) -> dict[str, Any]:
        del request
        report = await self._reconciler.ask(Report(), deadline_s=ANSWER_S)
        return {"reconciliation": report_json(report)}

    async def _halt(self, request: dict[str, Any]) -> dict[str, Any]:
        await self._guard.ask(
            Halt(_text(request, "reason"), _text(request, "by")), deadline_s=ANSWER_S
        )
        return {"halted": True}

    async def _resume(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("venue") is not None:
            return await self._restore(request)
        if self._desk.directory.halt.exists():
            raise InputError(
                str(self._desk.directory.halt), "no such file", "it", "remove it first"
            )
        await self._guard.ask(
            Resume(_text(request, "reason"), _text(request, "by")), deadline_s=ANSWER_S
        )
        return {"halted": False}

    async def _restore(self, request: dict[str, Any]) -> dict[str, Any]:
        """Let orders out again to a venue that was degraded."""
        _, parts = self._engine()
        venue, degraded = _text(request, "venue"), parts.gate.degraded
        if venue not in degraded:
            expected = f"one of {', '.join(degraded)}" if degraded else "none"
            raise InputError("venue", f"a venue that is degraded: {expected}", venue)
        reason, by = _text(request, "reason"), _text(request, "by")
        await self._guard.ask(Restore(venue, reason, by), deadline_s=ANSWER_S)
        return {"halted": parts.gate.halted, "degraded": sorted(degraded)}

    async def _restart(self, request: dict[str, Any]) -> dict[str, Any]:
        """Stop an actor or a family in order, and start it anew; nothing is counted.

        Where the console goes along, nobody is left to answer.
        """
        engine, _ = self._engine()
        path, reason = _text(request, "path"), _text(request, "reason")
        await engine.restart_child(path)
        nodes = snapshot(engine).walk()
        again = next(each.incarnation for each in nodes if each.path == path)
        engine.tell_lifecycle(path, "by_hand", again, f"restarted: {reason}")
        return {"path": path, "incarnation": again}

    async def _kill(self, request: dict[str, Any]) -> dict[str, Any]:
        """Crash one actor, as a drill: its supervisor counts it, and brings it back."""
        engine, _ = self._engine()
        path = _text(request, "path")
        cell = engine.cells.get(path)
        if cell is None:
            raise InputError("path", f"one of {', '.join(engine.cells)}", repr(path))
        engine.kill(cell, Killed(f"killed by hand: {_text(request, 'reason')}"))
        return {"path": path, "incarnation": cell.incarnation}

    def _engine(self) -> tuple[LiveEngine, Parts]:
        if self._desk.engine is None or self._desk.parts is None:
            raise InputError("engine", "a running engine", "one that is not up yet")
        return self._desk.engine, self._desk.parts


def _text(request: dict[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InputError(name, "a text that is not empty", repr(value))
    return value


def _listen(directory: StateDir) -> trio.SocketListener:
    """Listen on the control socket; a path of any length will do."""
    path = directory.control_socket
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The kernel limits a socket's path to 107 bytes; by way of the open directory it
    # is always short.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    before = os.umask(0o177)
    try:
        made.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.umask(before)
        os.close(folder)
    made.listen(16)
    return trio.SocketListener(trio.socket.from_stdlib_socket(made))
