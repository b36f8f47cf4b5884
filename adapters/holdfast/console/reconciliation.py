"""Reconciliation for people, as JSON-able values, and what they may ask of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast_actors.reconciliation.messages import ReconcilerReport, SetPolicies
from holdfast_domain.errors import InputError
from holdfast_domain.events import Reconciled
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.reconciliation import Finding, Policy, Severity


def report_json(report: ReconcilerReport) -> dict[str, Any]:
    """Return how reconciliation stands; decimals as texts."""
    return {
        "runs": report.runs,
        "running": report.running,
        "market_time": (
            utc_from_us(report.time_us).isoformat() if report.time_us else None
        ),
        "venues": {name: reconciled_json(e) for name, e in report.last.items()},
        "policies": dict(report.policies),
        "external_orders": list(report.external_orders),
        "owed": {name: str(units) for name, units in report.owed.items()},
    }


def reconciled_json(event: Reconciled) -> dict[str, Any]:
    """Return what one comparison found, what was done, and why."""
    return {
        "run": event.run,
        "venue": event.venue,
        "trigger": event.trigger,
        "verdict": event.verdict,
        "brackets": event.brackets,
        "watermark": event.watermark,
        "record": event.sequence,
        "findings": [_finding(each) for each in event.findings],
        "unclear": list(event.unclear),
    }


def policies_of(texts: Sequence[str], by: str, *, consent: bool) -> SetPolicies:
    """Return what texts such as ``warn`` or ``critical=halt_and_alert`` ask for.

    Raises:
        InputError: one of them names no policy, or no severity.
    """
    chosen: dict[str, Policy] = {}
    for text in texts:
        severity, divided, name = text.rpartition("=")
        names = [each.value for each in Severity]
        if divided and severity not in names:
            raise InputError("--policy", f"one of {', '.join(names)}", repr(severity))
        for each in [severity] if divided else names:
            chosen[each] = _policy(name)
    return SetPolicies(
        minor=chosen.get("minor"),
        moderate=chosen.get("moderate"),
        critical=chosen.get("critical"),
        by=by,
        consent=consent,
    )


def _policy(name: str) -> Policy:
    try:
        return Policy(name)
    except ValueError:
        known = ", ".join(each.value for each in Policy)
        raise InputError("--policy", f"one of {known}", repr(name)) from None


def _finding(found: Finding) -> Mapping[str, Any]:
    difference = found.difference
    return {
        "subject": difference.subject.value,
        "name": difference.name,
        "kind": difference.kind.value,
        "severity": difference.severity.value,
        "here": difference.here or None,
        "there": difference.there or None,
        "amount": str(difference.amount),
        "policy": found.policy.value,
        "action": found.action,
        "why": found.why,
    }
