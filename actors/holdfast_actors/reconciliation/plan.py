"""When the books are compared with the venue, what counts, and what is done."""

from __future__ import annotations

from decimal import Decimal

import attrs

from holdfast_domain.reconciliation import Policy, Severity


@attrs.frozen(kw_only=True)
class Policies:
    """What is done about a difference, by its severity."""

    minor: Policy = Policy.SYNC_TO_BROKER
    moderate: Policy = Policy.SYNC_TO_BROKER
    critical: Policy = Policy.SYNC_TO_BROKER

    def of(self, severity: Severity) -> Policy:
        """Return the policy for ``severity``."""
        match severity:
            case Severity.MINOR:
                return self.minor
            case Severity.MODERATE:
                return self.moderate
            case Severity.CRITICAL:
                return self.critical

    @property
    def trades(self) -> bool:
        """Whether any of them lets the engine trade."""
        return Policy.SYNC_TO_LOCAL in (self.minor, self.moderate, self.critical)


@attrs.frozen(kw_only=True)
class ReconcilePlan:
    """Times are of the host: they say for how long nobody has looked."""

    every_s: float = 300.0
    pause_s: float = 1.0
    """Between two brackets, or what the venue takes to show what it did, if longer."""

    tries: int = 5
    """Brackets before what is not clear is reported as such."""

    bracket_s: float = 60.0
    """How long one bracket may take."""

    cash_absolute: Decimal = Decimal(1)
    cash_relative: Decimal = Decimal("0.01")
    """Cash may differ by the larger of the two."""

    quantity: Decimal = Decimal("0.01")
    """Units may differ by so many, if that is less than a lot."""

    large_fill: Decimal = Decimal("0.1")
    """The part of the capital from which on a fill is followed by a comparison."""

    large_pause_s: float = 10.0
    """The least time between two comparisons because of fills."""

    adjust_max: Decimal = Decimal("0.1")
    """The part of the capital that one adjustment may move; above it, trading halts."""

    policies: Policies = Policies()
    """Until a person sets others."""
