"""The samples that ship with the package: real data, and strategies to read."""

from __future__ import annotations

from pathlib import Path

import holdfast
from holdfast_domain.errors import InputError


def sample_path(name: str) -> Path:
    """Return the folder of the samples called ``name``: ``data`` or ``strategies``.

    An installed package carries them; in a checkout they are in its ``examples``.

    Raises:
        InputError: there are none in either place.
    """
    package = Path(holdfast.__file__).parent
    installed = package / f"sample_{name}"
    checkout = package.parents[1] / "examples" / name
    for path in (installed, checkout):
        if path.is_dir():
            return path
    raise InputError(
        "demo", f"a folder {installed}", "none", "install the package again"
    )
