"""The peers' environments: one virtual environment each, under ``.bench/``.

Each is made once from exact pins and wheels only, so that no peer's code runs at
installation, and is made anew when its pins change.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

PINS: dict[str, tuple[str, ...]] = {
    "backtrader": (
        "backtrader==1.9.78.123",
        "numpy==2.4.6",
        "pandas==3.1.1",
    ),
    "backtesting": (
        "backtesting==0.6.6",
        "bokeh==3.9.2",
        "numpy==2.4.6",
        "pandas==3.1.1",
    ),
    "websockets": ("websockets==17.4",),
    "aiohttp": ("aiohttp==3.14.5",),
    "nautilus_trader": (
        "nautilus_trader==1.221.0",
        "numpy==2.4.6",
        "pandas==2.3.3",
        "uvloop==0.22.1",
    ),
}


class EnvironmentFailed(Exception):
    """A peer could not be installed; the message is pip's last line."""


def python_of(environment: str | None, root: Path) -> Path:
    """The interpreter of an environment, which is made if it is not there.

    Args:
        environment: a key of `PINS`, or None for the interpreter that runs this.
        root: the repository.

    Raises:
        EnvironmentFailed: a peer's wheel does not exist for this platform, or the
            package index is out of reach.
    """
    if environment is None:
        return Path(sys.executable)
    folder = root / ".bench" / environment
    wanted = "\n".join(PINS[environment])
    ready = folder / "ready"
    if not ready.exists() or ready.read_text() != wanted:
        _make(folder, environment)
        ready.write_text(wanted)
    return folder / "bin" / "python"


def _make(folder: Path, environment: str) -> None:
    print(f"installing {environment} into {folder}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    install = ["install", "-qq", "--only-binary", ":all:", *PINS[environment]]
    done = subprocess.run([*pip, *install], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EnvironmentFailed((done.stderr.strip() or "no output").splitlines()[-1])
