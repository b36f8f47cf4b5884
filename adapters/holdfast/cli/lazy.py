"""A group of commands, each of which is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import attrs
import click


@attrs.frozen
class Later:
    """Where a command is, and what the list of commands says of it."""

    module: str
    name: str
    help: str


class LazyGroup(click.Group):
    """Lists its commands without importing them."""

    def __init__(self, *args: Any, later: Mapping[str, Later], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self._later = dict(later)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they were given."""
        return [*self._later, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command ``cmd_name``, or return None if there is none."""
        later = self._later.get(cmd_name)
        if later is None:
            return super().get_command(ctx, cmd_name)
        found = getattr(import_module(later.module), later.name)
        if not isinstance(found, click.Command):
            message = f"expected a command, got {found!r} in {later.module}"
            raise TypeError(message)
        return found

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the list of commands."""
        rows = [(name, later.help) for name, later in self._later.items()]
        rows += [
            (name, command.get_short_help_str(formatter.width))
            for name, command in self.commands.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which there are."""
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx):
            known = ", ".join(self.list_commands(ctx))
            ctx.fail(f"expected a command ({known}), got {name!r}")
        return super().resolve_command(ctx, args)
