"""What must not be shown, and the files and keyrings that may hold it."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from holdfast_domain.errors import InputError

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
"""What a file that holds secrets must not let anybody do but its owner."""

PAIR: Final = ("key", "secret")
"""What credentials consist of, as files and keyrings name it."""


@attrs.frozen(repr=False)
class Secret:
    """A text that no `repr`, log or error shows.

    >>> Secret("x"), str(Secret("x"))
    (Secret(...), 'Secret(...)')
    """

    _text: str = attrs.field(alias="text")

    def reveal(self) -> str:
        """Return the text, for whoever signs with it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"


def read_pairs(path: Path) -> dict[str, str]:
    """Return the ``NAME=VALUE`` lines of a file that its owner alone may read.

    Empty lines and those that begin with ``#`` say nothing; ``export`` before a name
    and a pair of quotes around a value are left out.

    Raises:
        InputError: others may read it, or it cannot be read; no value is in the text.
    """
    try:
        mode = path.stat().st_mode
        if mode & OTHERS:
            came = f"mode {stat.S_IMODE(mode):04o}"
            raise InputError(
                str(path), "mode 0600: it holds secrets", came, f"chmod 600 {path}"
            )
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        came = getattr(error, "strerror", None) or "one that is not UTF-8"
        raise InputError(str(path), "a file of NAME=VALUE lines", came) from None
    return dict(_pairs(path, lines))


def keyring_pairs(service: str, where: str) -> dict[str, str]:
    """Return what the system's keyring has as ``key`` and ``secret`` of ``service``.

    Blocks, where the keyring asks a person to unlock it.

    Raises:
        InputError: at ``where``: the library is not installed, or the keyring does not
            answer; what it says about it is not repeated, for it may show a secret.
    """
    try:
        import keyring  # noqa: PLC0415 - others do without it
    except ImportError:
        todo = "install it with: pip install 'holdfast[keyring]'"
        raise InputError(where, "the library keyring", "none", todo) from None
    try:
        found = {name: keyring.get_password(service, name) for name in PAIR}
    except Exception as error:  # noqa: BLE001 - each keyring has errors of its own
        came, todo = type(error).__name__, "try 'keyring get SERVICE key'"
        raise InputError(where, "a keyring that can be read", came, todo) from None
    return {name: text for name, text in found.items() if text}


def _pairs(path: Path, lines: list[str]) -> Mapping[str, str]:
    pairs: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.removeprefix("export ").partition("=")
        if not equals or not name.strip().isidentifier():
            where = f"{path}, line {number}"
            raise InputError(where, "NAME=VALUE", "something else", "correct the line")
        pairs[name.strip()] = _bare(value.strip())
    return pairs


def _bare(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value
