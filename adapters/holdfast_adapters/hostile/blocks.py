"""A hostile venue's limits and bans."""

from __future__ import annotations

import attrs

from holdfast_domain.errors import NotSent


@attrs.define
class Block:
    """Until when requests are turned away; who goes on asking waits for longer."""

    until_s: float = 0.0
    kind: str = ""
    length_s: float = 0.0

    def insist(self) -> None:
        """Take a request that should have waited: a ban begins anew, and longer."""
        if self.kind == "ban":
            self.length_s *= 2
            self.until_s += self.length_s

    def error(self, name: str, now_s: float) -> NotSent:
        """Return what is said to a request at ``now_s``."""
        return NotSent(
            f"{name}: {self.kind}",
            retry_after_s=self.until_s - now_s,
            only_limits=self.kind != "ban",
        )
