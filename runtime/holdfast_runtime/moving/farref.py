"""References to actors in processes: what cannot get there is refused at its line."""

from __future__ import annotations

from typing import Any, Never, overload

from holdfast_runtime.moving.pickling import check
from holdfast_runtime.refs import Ref


class FarRef(Ref[Any]):
    """A reference to an actor in a process; as any, but for messages that cannot go.

    On the simulated engine too, so that a test finds them.
    """

    __slots__ = ()

    def check(self, message: Any) -> None:  # noqa: ANN401
        """Refuse what cannot be pickled.

        Raises:
            Unpicklable: naming the message, its field, and the actor.
        """
        check(self.path, message)

    def tell(self, message: Any) -> None:  # noqa: ANN401
        """Send ``message``, as in `Ref`; also inside of a handler it is looked at now.

        Raises:
            Unpicklable: it cannot be pickled.
        """
        check(self.path, message)
        super().tell(message)

    async def send(self, message: Any) -> None:  # noqa: ANN401
        """Send ``message``, and wait while the lane is full; as in `Ref`.

        Raises:
            Unpicklable: it cannot be pickled.
        """
        check(self.path, message)
        await super().send(message)

    @overload
    async def ask(self, message: Any, *, deadline_s: float) -> Any: ...  # noqa: ANN401

    @overload
    async def ask(self, message: Any) -> Never: ...  # noqa: ANN401

    async def ask(self, message: Any, *, deadline_s: float | None = None) -> Any:
        """Return what the actor's handler returns; as in `Ref`.

        Raises:
            Unpicklable: ``message`` cannot be pickled.
        """
        check(self.path, message)
        return await super().ask(message, deadline_s=deadline_s)  # type: ignore[arg-type]
