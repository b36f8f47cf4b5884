"""What people ask of reconciliation, and are told of it."""

from __future__ import annotations

from holdfast_actors.reconciliation.book import ReconcileBook
from holdfast_actors.reconciliation.messages import ReconcilerReport, SetPolicies
from holdfast_actors.reconciliation.plan import Policies
from holdfast_domain.events import ReconcilePolicySet
from holdfast_domain.reconciliation import Policy


def refusal_of(message: SetPolicies) -> str:
    """Return why policies are not taken; empty if they are."""
    wanted = (message.minor, message.moderate, message.critical)
    if Policy.SYNC_TO_LOCAL in wanted and not message.consent:
        return "sync_to_local trades to bring the venue to the books: say --consent"
    return ""


def record_of(message: SetPolicies, policies: Policies) -> ReconcilePolicySet:
    """Return the record of what a person chose; the rest is as it was."""
    return ReconcilePolicySet(
        minor=message.minor or policies.minor,
        moderate=message.moderate or policies.moderate,
        critical=message.critical or policies.critical,
        by=message.by,
    )


def report_of(book: ReconcileBook, time_us: int, *, running: bool) -> ReconcilerReport:
    """Return how reconciliation stands."""
    policies = book.policies
    return ReconcilerReport(
        runs=book.runs,
        running=running,
        last=dict(book.last),
        time_us=time_us,
        policies={
            "minor": policies.minor.value,
            "moderate": policies.moderate.value,
            "critical": policies.critical.value,
        },
        external_orders=tuple(sorted(book.external)),
        owed=dict(book.owed),
    )
