"""`holdfast reconcile`: what cannot be asked, and how what is told looks."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from holdfast.cli.reconcile import reconcile
from holdfast.console.reconciliation import policies_of, report_json
from holdfast_actors.reconciliation.book import ReconcileBook
from holdfast_actors.reconciliation.people import report_of
from holdfast_adapters.statedir import StateDir
from holdfast_domain.errors import InputError
from holdfast_domain.events import Reconciled
from holdfast_domain.reconciliation import (
    Difference,
    Finding,
    Kind,
    Policy,
    Severity,
    Subject,
)

FINDING = Finding(
    difference=Difference(
        subject=Subject.POSITION,
        name="SPY",
        kind=Kind.MISSING_THERE,
        severity=Severity.CRITICAL,
        here="100",
        there="",
        amount=Decimal(-100),
    ),
    policy=Policy.SYNC_TO_BROKER,
    action="adjusted",
    why="the venue holds it",
)


def said(*arguments: str) -> None:
    done = CliRunner().invoke(reconcile, list(arguments), standalone_mode=False)
    if done.exception is not None:
        raise done.exception


def test_without_an_engine_there_is_nobody_to_ask(tmp_path: Path) -> None:
    with StateDir.open(tmp_path, 1):
        pass
    with pytest.raises(InputError, match="expected a running engine, got none"):
        said(str(tmp_path))


def test_who_chooses_a_policy_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--by: expected who chooses the policy"):
        said(str(tmp_path), "--policy", "warn")


@pytest.mark.parametrize("text", ["sell everything", "minor=", "huge=warn", "=warn"])
def test_a_policy_that_there_is_not(text: str) -> None:
    with pytest.raises(InputError, match="--policy: expected one of"):
        policies_of([text], "ann", consent=False)


def test_a_policy_is_for_all_severities_or_for_one() -> None:
    chosen = policies_of(["warn", "critical=halt_and_alert"], "ann", consent=False)
    assert (chosen.minor, chosen.moderate) == (Policy.WARN, Policy.WARN)
    assert chosen.critical is Policy.HALT_AND_ALERT
    one = policies_of(["minor=sync_to_local"], "ann", consent=True)
    assert (one.minor, one.moderate, one.critical) == (
        Policy.SYNC_TO_LOCAL,
        None,
        None,
    )


def test_a_report_has_what_differed_what_was_done_and_why() -> None:
    book = ReconcileBook()
    book.apply(
        Reconciled(
            venue="paper",
            run=3,
            trigger="timer",
            brackets=2,
            verdict="differed",
            watermark="X9",
            sequence=17,
            findings=(FINDING,),
            unclear=(),
        )
    )
    report = report_json(report_of(book, 0, running=False))
    (found,) = report["venues"]["paper"]["findings"]
    assert found == {
        "subject": "position",
        "name": "SPY",
        "kind": "missing there",
        "severity": "critical",
        "here": "100",
        "there": None,
        "amount": "-100",
        "policy": "sync_to_broker",
        "action": "adjusted",
        "why": "the venue holds it",
    }
    assert (report["runs"], report["running"], report["market_time"]) == (
        3,
        False,
        None,
    )
