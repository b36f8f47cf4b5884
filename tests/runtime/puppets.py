"""Actors that do as they are told, and the messages that tell them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, ClassVar

import attrs

from holdfast_runtime import ActorSpec, Context, Lane


class Broken(Exception):
    """What a puppet raises that was told to fail."""


@attrs.frozen
class Say:
    """A note to take."""

    text: str


@attrs.frozen
class Do:
    """A call to make inside the handler, with the puppet; its value is the answer."""

    call: Callable[[Puppet], Any]


@attrs.frozen
class Urgent:
    """A note that overtakes."""

    lane: ClassVar[Lane] = Lane.CONTROL

    text: str


@attrs.frozen
class Bulk:
    """A note of which there are many."""

    lane: ClassVar[Lane] = Lane.DATA

    text: str
    key: Hashable = None


@attrs.frozen
class Told:
    """A message that derives from record ``number``; it is fatal if that is so."""

    number: int
    fatal: bool = False

    @property
    def origin(self) -> tuple[str, int]:
        return ("record", self.number)


def crash(_: Puppet) -> None:
    raise Broken


CRASH = Do(crash)


@attrs.define(eq=False)
class Puppet:
    """Takes notes under its name, and does what a message says."""

    ctx: Context
    notes: list[str]

    @property
    def name(self) -> str:
        return self.ctx.path.rpartition("/")[2]

    def note(self, text: str) -> None:
        self.notes.append(f"{self.name}: {text}")

    def handle(self, message: object) -> Any:
        match message:
            case Do(call):
                return call(self)
            case Told(number, fatal):
                self.note(f"record {number}")
                if fatal:
                    raise Broken
            case Say(text) | Urgent(text) | Bulk(text):
                self.note(text)
            case _:
                raise TypeError(message)
        return None

    def stop(self) -> None:
        self.note("stops")


@attrs.define(eq=False)
class AsyncPuppet(Puppet):
    """The same, asynchronous: what it is told to do may have to be awaited."""

    async def start(self) -> None:
        await self.ctx.sleep(0.0)

    async def handle(self, message: object) -> Any:
        value = Puppet.handle(self, message)
        return await value if hasattr(value, "send") else value

    async def stop(self) -> None:  # type: ignore[override]
        self.note("stops")


async def hang(puppet: Puppet) -> None:
    """Hang, until cancelled."""
    puppet.note("hangs")
    try:
        await puppet.ctx.sleep(1e9)
    finally:
        puppet.note("is cut")


def puppet(
    notes: list[str],
    name: str,
    *,
    make: Callable[[Context, list[str]], Any] = Puppet,
    **spec: Any,
) -> ActorSpec:
    """Return a spec of a puppet that notes its birth."""

    def build(ctx: Context) -> Any:
        notes.append(f"{name}: born")
        return make(ctx, notes)

    return ActorSpec(name=name, build=build, **spec)
