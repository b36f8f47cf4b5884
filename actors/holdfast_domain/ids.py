"""Client order ids: 32 lowercase hex digits that every venue accepts."""

from __future__ import annotations

from msgspec import Struct

from holdfast_domain.errors import DomainError

DIGITS = 32
"""The length of an id: hex digits of four bits."""


class ClientOrderId(Struct, frozen=True, kw_only=True, gc=False):
    """Who made an order: 32 bits engine, 32 epoch, 48 sequence, 16 strategy.

    Unique across machines, starts and strategies, so a late message of a replaced
    engine is recognised by its epoch.

    >>> made = ClientOrderId(engine=10, epoch=2, sequence=3, strategy=1)
    >>> str(made)
    '0000000a000000020000000000030001'
    >>> ClientOrderId.parse(str(made)) == made
    True
    """

    engine: int
    epoch: int
    sequence: int
    strategy: int

    def __str__(self) -> str:
        return (
            f"{self.engine:08x}{self.epoch:08x}{self.sequence:012x}{self.strategy:04x}"
        )

    @property
    def template(self) -> str:
        """The ids of its strategy, with ``%012x`` where the sequence stands."""
        text = str(self)
        return f"{text[:16]}%012x{text[28:]}"

    @classmethod
    def parse(cls, text: str) -> ClientOrderId:
        """Return the parts of ``text``.

        Raises:
            DomainError: if ``text`` is not 32 lowercase hex digits.
        """
        if len(text) != DIGITS or set(text) - set("0123456789abcdef"):
            message = f"expected 32 lowercase hex digits, got {text!r}"
            raise DomainError(message)
        return cls(
            engine=int(text[:8], 16),
            epoch=int(text[8:16], 16),
            sequence=int(text[16:28], 16),
            strategy=int(text[28:], 16),
        )
