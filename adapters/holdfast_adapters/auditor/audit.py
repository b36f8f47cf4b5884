"""The audit: all checks over one journal and one venue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from pathlib import Path

from .books import books_of, check_books
from .chain import check_chain
from .lists import check_lists
from .orders import check_orders
from .reading import Happening, Record, read_journal, read_venue
from .report import AuditReport

_DIGITS = 60
"""More than any engine keeps, so that the auditor's own sums are exact."""


def audit(
    journal: Path,
    venue: Path | Mapping[str, Path],
    *,
    multipliers: Mapping[str, Decimal] | None = None,
) -> AuditReport:
    """Return what is wrong between ``journal`` and ``venue``, two SQLite files.

    Where the engine traded at several venues, ``venue`` has their files by name.

    To be called when the run is over or stopped: what the venue has committed and the
    engine has not yet recorded is reported as lost. An instrument that is not in
    ``multipliers`` has 1. The files are only read.

    Raises:
        sqlite3.Error: one of them is not what it should be.
    """
    if isinstance(venue, Path):
        happenings = read_venue(venue)
    else:
        happenings = [row for name, at in venue.items() for row in read_venue(at, name)]
    return audit_rows(read_journal(journal), happenings, multipliers=multipliers)


def audit_rows(
    records: Sequence[Record],
    happenings: Sequence[Happening],
    *,
    multipliers: Mapping[str, Decimal] | None = None,
) -> AuditReport:
    """Return what is wrong between two records that were read already; see `audit`."""
    with localcontext() as context:
        context.prec = _DIGITS
        books = books_of(records, happenings, multipliers or {})
        checks = check_books(books)
    orders = [*check_orders(records, happenings), *check_lists(records, happenings)]
    return AuditReport(checks=[*checks, *orders, *check_chain(records)])
