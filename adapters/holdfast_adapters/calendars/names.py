"""Which market calendars exist, found without importing their library (and pandas)."""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_TABLES = ("_default_calendar_factories", "_default_calendar_aliases")


@cache
def calendar_names() -> frozenset[str]:
    """Return all names and aliases; empty if the library does not list them so."""
    spec = find_spec("exchange_calendars")
    if spec is None or spec.origin is None:
        return frozenset()
    source = Path(spec.origin).with_name("calendar_utils.py")
    try:
        tree = ast.parse(source.read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return frozenset()
    return frozenset(name for node in tree.body for name in _names_in(node))


def _names_in(node: ast.stmt) -> list[str]:
    match node:
        case ast.Assign(targets=[ast.Name(id=table)], value=ast.Dict(keys=keys)):
            pass
        case ast.AnnAssign(target=ast.Name(id=table), value=ast.Dict(keys=keys)):
            pass
        case _:
            return []
    if table not in _TABLES:
        return []
    constants = [key.value for key in keys if isinstance(key, ast.Constant)]
    return [value for value in constants if isinstance(value, str)]
