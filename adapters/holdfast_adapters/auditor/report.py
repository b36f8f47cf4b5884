"""What an audit found."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """One question that was asked of the whole record."""

    name: str
    """What was looked for, such as ``fills lost``."""

    findings: list[str]
    """One line for each place where it was found; none is good."""


class AuditReport(NamedTuple):
    """The checks in a fixed order."""

    checks: list[Check]

    @property
    def violations(self) -> int:
        """How many findings there are in all checks."""
        return sum(len(check.findings) for check in self.checks)

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return self.violations == 0

    def findings(self, name: str) -> list[str]:
        """Return the findings of the check called ``name``.

        Raises:
            KeyError: there is no such check.
        """
        return dict(self.checks)[name]

    def summary_lines(self) -> list[str]:
        """Return one line for each check, such as ``fills lost: 0``."""
        return [f"{check.name}: {len(check.findings)}" for check in self.checks]
