"""What the codes of TWS mean, by what one may do next.

The codes are those of the TWS API's reference ("Message Codes"). An error that is about
an order and not in these tables says nothing yet: whether the order is there is asked.
"""

from __future__ import annotations

from typing import Final

from holdfast_domain.errors import NotSent, VenueError, VenueRefused

LOST: Final = frozenset({1100, 2110})
"""TWS has no line to IB's servers."""

RESTORED: Final = frozenset({1101, 1102})
"""It has it again; after 1101 no subscription to market data is alive."""

DATA_LOST: Final = 1101
BROKEN: Final = frozenset({2103, 2105, 2157})
"""A farm of data is not reached; what was subscribed there may stay silent."""

IN_USE: Final = 326
TOO_FAST: Final = 100
DUPLICATE_NUMBER: Final = 103
CANCELED: Final = 202

WARNINGS: Final = frozenset({
    399,  # will not be placed at the exchange until it opens, and the like
    404,  # shares are being located for a short sale
    2109,  # outside of regular hours is ignored
    2148,
    2161,
    10167,  # delayed market data
    10349,  # the time in force was set by a preset
})  # fmt: skip
"""The order is there, with something to say of it."""

REFUSALS: Final = frozenset({
    104,  # modify an order that is filled
    105,  # the order to be modified does not match
    106,  # cannot be transmitted
    107, 109,  # incomplete, or too far from the market
    110,  # price between two ticks
    116, 117, 118, 119,
    129, 131, 135, 136, 152,
    161,  # a cancel in a state that cannot be canceled
    200,  # no such contract
    201,  # rejected: the text says why
    203,  # the security is not allowed for this account
    320, 321, 322,  # an error while reading or checking the request
    325, 327, 328, 329, 330, 336,
    382, 387, 388, 389, 391, 392, 394, 397, 401, 403,
    415, 416, 421, 425, 426, 427, 428, 430, 432, 433,
    434,  # a size of nothing
    436, 437, 441, 460,  # 460: no trading permissions
    10006,  # the parent of a child is missing
    10052, 10147, 10148, 10243, 10268, 10318, 10329,
})  # fmt: skip
"""What was asked for was not done."""

NO_LINE_S: Final = 5.0
"""How long to wait before asking again, while TWS has no line to IB."""


def is_warning(code: int) -> bool:
    """Tell whether the order that it is about is there all the same.

    >>> is_warning(399), is_warning(2104), is_warning(201)
    (True, True, False)
    """
    return code in WARNINGS or 2100 <= code < 2200  # noqa: PLR2004 - "Warnings"


def refusal(code: int, words: str) -> VenueError:
    """Return the error for a command that was turned down."""
    if code == DUPLICATE_NUMBER:
        # The number was used before: the order was not taken, and gets another one.
        return NotSent(f"{words} ({code})", retry_after_s=1.0)
    return VenueRefused(" ".join(words.split()), str(code))
