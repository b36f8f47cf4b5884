"""A request that takes too long is cancelled by the engine's clock."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from holdfast_runtime import SupervisorSpec

from .puppets import AsyncPuppet, Do, Puppet, puppet
from .worlds import World, on_each_engine, play


class Asker:
    """Keeps how its requests ended, and what became of them."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    async def ask(self, actor: Puppet, takes_s: float, within_s: float) -> None:
        try:
            self.said.append(
                await actor.ctx.within(within_s, self.request(actor, takes_s))
            )
        except TimeoutError as error:
            self.said.append(str(error))
        except LookupError as error:
            self.said.append(repr(error))

    async def request(self, actor: Puppet, takes_s: float) -> str:
        try:
            if takes_s:
                await actor.ctx.sleep(abs(takes_s))
            if takes_s < 0:
                message = "no"
                raise LookupError(message)
        finally:
            self.said.append("ended")
        return "answer"


def scene(asker: Asker, *asked: tuple[float, float]) -> Any:
    async def scenario(world: World) -> None:
        for takes_s, within_s in asked:
            call = partial(asker.ask, takes_s=takes_s, within_s=within_s)
            await world.told("top/a", Do(call))
        await world.sleep(100.0)
        assert world.state("top/a") == "running"

    return scenario


@on_each_engine
@pytest.mark.parametrize(
    ("takes_s", "said"),
    [
        (0.0, ["ended", "answer"]),
        (2.0, ["ended", "answer"]),
        (-1.0, ["ended", "LookupError('no')"]),
        (9.0, ["ended", "expected an end within 5 s, was none"]),
    ],
    ids=["at once", "in time", "raises", "too late"],
)
def test_a_request_ends_by_itself_or_at_its_deadline(
    kind: str, takes_s: float, said: list[str]
) -> None:
    asker = Asker()
    spec = SupervisorSpec(name="top", children=(puppet([], "a", make=AsyncPuppet),))

    play(kind, spec, scene(asker, (takes_s, 5.0)))

    assert asker.said == said


@on_each_engine
def test_after_a_deadline_the_actor_goes_on(kind: str) -> None:
    asker = Asker()
    spec = SupervisorSpec(name="top", children=(puppet([], "a", make=AsyncPuppet),))

    play(kind, spec, scene(asker, (9.0, 5.0), (1.0, 5.0)))

    assert asker.said[1:] == ["expected an end within 5 s, was none", "ended", "answer"]
