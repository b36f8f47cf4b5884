"""Supervision on its own: a small tree in a trio program; one child crashes.

`holdfast_runtime` knows nothing of trading. Run it with ``python embed_supervisor.py``.
"""

from __future__ import annotations

from typing import Any

import attrs
import trio

from holdfast_runtime import (
    ActorSpec,
    Backoff,
    Context,
    Lifecycle,
    LiveEngine,
    Ref,
    SupervisorSpec,
    open_engine,
)


@attrs.frozen
class Divide:
    """Ask for a hundred divided by ``by``."""

    by: int


class Divider:
    """An actor is a plain class with `handle`; what it returns answers an `ask`."""

    def __init__(self, incarnation: int) -> None:
        self.incarnation = incarnation

    def handle(self, message: Divide) -> str:
        """Divide; a zero crashes this incarnation, and nothing else."""
        return f"{100 // message.by} (incarnation {self.incarnation})"


class Bystander:
    """A sibling, which does not notice."""

    def __init__(self) -> None:
        self.heard = 0

    def handle(self, message: str) -> int:
        """Count what was heard."""
        del message
        self.heard += 1
        return self.heard


def build_divider(context: Context) -> Divider:
    """Make a new actor: called at the start and at each restart."""
    return Divider(context.incarnation)


TREE = SupervisorSpec(
    name="office",
    restarts=3,
    period_s=5.0,
    backoff=Backoff(first_s=0.05, jitter=0.0),
    children=(
        ActorSpec(name="divider", build=build_divider),
        ActorSpec(name="bystander", build=lambda _: Bystander()),
    ),
)


def say(event: Lifecycle) -> None:
    """Print what happens to whom."""
    error = f" after {event.error}" if event.error else ""
    print(f"  {event.path} {event.what}{error}")


def prepare(engine: LiveEngine) -> None:
    """Listen before anything runs."""
    engine.on_lifecycle.append(say)


async def main() -> None:
    """Ask, crash it, and ask again: the reference outlives the crash."""
    async with open_engine(TREE, prepare=prepare) as engine:
        divider: Ref[Any] = engine.ref("office/divider")
        bystander: Ref[Any] = engine.ref("office/bystander")
        print("100 / 4 =", await divider.ask(Divide(4), deadline_s=1.0))
        await bystander.ask("hello", deadline_s=1.0)
        divider.tell(Divide(0))
        print("100 / 5 =", await divider.ask(Divide(5), deadline_s=1.0))
        heard = await bystander.ask("hello again", deadline_s=1.0)
        print("the bystander has heard", heard, "messages and was not restarted")


if __name__ == "__main__":
    trio.run(main)
