"""``${NAME}`` and ``${NAME:-otherwise}`` in a text, from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from holdfast_domain.errors import InputError

VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
"""A variable's name, and what stands for it where it is not set."""


def substituted(text: str, environ: Mapping[str, str], where: str) -> str:
    """Return ``text`` with the values of its variables.

    Raises:
        InputError: one of them is not set.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        otherwise: str | None = match[2]
        found = environ.get(name, otherwise)
        if found is None:
            todo = f"set it, put it into .env, or write ${{{name}:-VALUE}}"
            expected = f"the environment variable {name}"
            raise InputError(where, expected, "none", todo)
        return found

    return VARIABLE.sub(value, text)


def is_variable(text: str) -> bool:
    """Tell whether the whole of ``text`` is one variable."""
    return VARIABLE.fullmatch(text) is not None
