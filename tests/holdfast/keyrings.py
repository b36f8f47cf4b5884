"""A system's keyring for tests: a backend of the library, over a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keyring
from keyring.backend import KeyringBackend


class FileKeyring(KeyringBackend):
    """Keeps passwords in a file; a locked one shows them in its error."""

    priority = 1

    def __init__(self, path: Path, *, is_locked: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.path = path
        self.is_locked = is_locked

    def _all(self) -> dict[str, str]:
        return dict(json.loads(self.path.read_text())) if self.path.exists() else {}

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise PermissionError(str(self._all()))
        return self._all().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self.path.write_text(
            json.dumps({**self._all(), f"{service}/{username}": password})
        )

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@contextmanager
def keyring_with(path: Path, service: str, **passwords: str) -> Iterator[FileKeyring]:
    """Make one with ``passwords`` by user the system's, until the block is left."""
    before, backend = keyring.get_keyring(), FileKeyring(path)
    keyring.set_keyring(backend)
    for username, password in passwords.items():
        keyring.set_password(service, username, password)
    try:
        yield backend
    finally:
        keyring.set_keyring(before)
