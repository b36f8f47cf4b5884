"""Holdfast: tokens that go round a ring of actors, on the simulated engine."""

from __future__ import annotations

import json
import time

import attrs

from holdfast_runtime import (
    ActorSpec,
    Context,
    Ref,
    SimulatedEngine,
    SupervisorSpec,
)

ACTORS = 8
TOKENS = 4
LIMIT = 160_000
"""Messages that each actor passes on, at most."""


@attrs.frozen
class Token:
    """What is passed on."""

    number: int


class Hop:
    """Passes each token on to the next actor, so and so often."""

    def __init__(self, following: Ref[Token]) -> None:
        self.following = following
        self.handled = 0

    def handle(self, token: Token) -> None:
        self.handled += 1
        if self.handled < LIMIT:
            self.following.tell(token)


def main() -> None:
    hops: list[Hop] = []

    def spec(number: int) -> ActorSpec:
        path = f"bench/{(number + 1) % ACTORS}"

        def build(ctx: Context) -> Hop:
            hops.append(Hop(ctx.ref(path)))
            return hops[-1]

        return ActorSpec(name=str(number), build=build)

    tree = SupervisorSpec(name="bench", children=tuple(map(spec, range(ACTORS))))
    engine = SimulatedEngine(tree, lock_step=False)
    engine.start()
    for number in range(TOKENS):
        engine.ref("bench/0").tell(Token(number))
    began_s = time.perf_counter()
    engine.run_until_idle()
    took_s = time.perf_counter() - began_s
    handled = sum(hop.handled for hop in hops)
    assert handled > ACTORS * (LIMIT - TOKENS)
    print(json.dumps({"value": handled / took_s, "messages": handled}))


if __name__ == "__main__":
    main()
