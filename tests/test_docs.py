"""The documentation is true: its commands and examples run, links and pictures hold.

A page is a session in a folder of its own, with a copy of the examples. Its blocks run
in order; an HTML comment before a block says what it is:

* a ``console`` block runs each line that begins with ``$``, and shows lines of what
  comes out, in order; ``…`` stands for anything. ``<!-- exit: 2 -->`` expects another
  exit status than 0 (``any`` takes any), ``<!-- not run: WHY -->`` leaves it out.
* ``<!-- file: NAME -->`` writes the block to a file, ``<!-- runs -->`` runs it.
"""

from __future__ import annotations

import contextlib
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import attrs
import pytest
from tests import forking

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(
    r"(?:^<!-- (?P<said>[^\n]*?) -->\n)?^```(?P<kind>\w*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
ANCHOR = re.compile(r'<a id="([^"]+)">')
BLOCK_S = 600.0


@attrs.frozen
class Block:
    """One fenced block, and what the comment before it says."""

    kind: str
    said: str
    body: str

    def value(self, name: str) -> str:
        """What the comment says of ``name``; empty if nothing."""
        key, _, value = self.said.partition(": ")
        return value if key == name else ""

    @property
    def acts(self) -> bool:
        """Whether something is to be done with it."""
        if self.value("not run"):
            return False
        return self.kind == "console" or self.said == "runs" or bool(self.value("file"))


def blocks_of(text: str) -> list[Block]:
    return [
        Block(each["kind"], each["said"] or "", each["body"])
        for each in BLOCK.finditer(text)
    ]


def commands_of(body: str) -> list[str]:
    return [line[2:] for line in body.splitlines() if line.startswith("$ ")]


def shown_in(body: str) -> list[str]:
    lines = body.splitlines()
    return [line for line in lines if line.strip("…") and not line.startswith("$ ")]


def missing(shown: list[str], said: str) -> str | None:
    """Return the first line of ``shown`` that ``said`` does not have in its place."""
    lines = iter(" ".join(line.split()) for line in said.splitlines())
    for each in shown:
        wanted = re.escape(" ".join(each.split())).replace("…", ".*")
        if not any(re.fullmatch(wanted, line) for line in lines):
            return each
    return None


# ---- pages are sessions ----------------------------------------------------


def session(folder: Path) -> dict[str, str]:
    """Prepare ``folder``, and return the environment in which a page runs."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    commands = folder / "bin"
    commands.mkdir()
    forking.install(commands)
    scripts = Path(sys.executable).parent
    return {
        **os.environ,
        "PATH": os.pathsep.join(map(str, (commands, scripts, os.environ["PATH"]))),
        "HOLDFAST_DATA_DIR": str(folder / "holdfast-data"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "120",
        "NO_COLOR": "1",
    }


def run(command: list[str], folder: Path, environ: dict[str, str]) -> tuple[int, str]:
    """Run ``command`` with all that it starts, and return status and output."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=BLOCK_S)
    finally:
        # What a block has left in the background ends with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return process.returncode, output


def perform(block: Block, folder: Path, environ: dict[str, str]) -> None:
    if block.value("file"):
        (folder / block.value("file")).write_text(block.body)
    elif block.kind == "console":
        script = "\n".join(["set -e", *commands_of(block.body)])
        status, said = run(["bash", "-c", script], folder, environ)
        expected = block.value("exit") or "0"
        assert expected in (str(status), "any"), f"{script}\n{said}"
        assert missing(shown_in(block.body), said) is None, f"{script}\n{said}"
    else:
        status, said = run([sys.executable, "-c", block.body], folder, environ)
        assert status == 0, f"{block.body}\n{said}"


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


ACTING = [page for page in PAGES if any(b.acts for b in blocks_of(page.read_text()))]


@pytest.mark.parametrize("page", ACTING, ids=name_of)
def test_the_page_is_true(page: Path, tmp_path: Path) -> None:
    environ = session(tmp_path)
    for block in blocks_of(page.read_text()):
        if block.acts:
            perform(block, tmp_path, environ)


def test_every_python_block_parses() -> None:
    for page in PAGES:
        for block in blocks_of(page.read_text()):
            if block.kind == "python":
                compile(block.body, name_of(page), "exec")


# ---- links and nouns -------------------------------------------------------


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    plain = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return plain.replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = FENCED.sub("", page.read_text())
    return {slug(each) for each in HEADING.findall(text)} | set(ANCHOR.findall(text))


def broken_links(page: Path) -> Iterator[str]:
    text = INLINE.sub("", FENCED.sub("", page.read_text()))
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_of_the_page_resolve(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_every_page_is_linked_from_the_index() -> None:
    linked = {
        (DOCS / target.partition("#")[0]).resolve()
        for target in LINK.findall((DOCS / "index.md").read_text())
    }
    pages = {page.resolve() for page in DOCS.rglob("*.md")} - {DOCS / "index.md"}
    assert pages - linked == set()


NOUNS = (
    "actor, place, incarnation, mailbox, lane, turn, hold, record, cursor, step, slot, "
    "order, intent, fill, execution, position, lot, tick, basis point, drawdown, "
    "ledger, posting, sub-ledger, reservation, supervisor, restart intensity, park, "
    "escalate, quarantine, dead letter, epoch, evidence"
)


def test_the_glossary_has_each_noun_once() -> None:
    text = (DOCS / "glossary.md").read_text()
    entries = re.findall(r"^<a id=\"[^\"]+\"></a>(.*?):", text, re.MULTILINE)
    named = list(chain.from_iterable(re.findall(r"\*\*(.+?)\*\*", e) for e in entries))
    assert sorted(named) == sorted(set(named))
    assert set(NOUNS.split(", ")) <= set(named)


def test_what_the_readme_calls_proven_is_in_the_named_file() -> None:
    text = (ROOT / "README.md").read_text()
    files = re.findall(r"`(tests/[\w/.]+)`", text)
    assert files
    assert [name for name in files if not (ROOT / name).exists()] == []


# ---- pictures --------------------------------------------------------------


def drawn() -> Iterator[tuple[str, str]]:
    """Yield each picture's file, and what its script draws from the code now."""
    images = DOCS / "images"
    life = runpy.run_path(str(images / "draw_order_life.py"))
    yield "order_life.svg", life["draw"]()
    stream = runpy.run_path(str(images / "draw_stream_life.py"))
    yield "stream_life.svg", stream["draw"]()
    yield "tree.svg", runpy.run_path(str(images / "draw_tree.py"))["draw"]()
    flows = runpy.run_path(str(images / "draw_flows.py"))
    for chart in flows["CHARTS"]:
        yield chart.name, flows["draw"](chart)
    bench = runpy.run_path(str(images / "draw_runtime_bench.py"))
    yield "runtime_bench.svg", bench["draw"](bench["kept"]())


def test_each_picture_is_what_its_script_draws_now() -> None:
    now = dict(drawn())
    kept = {path.name: path.read_text() for path in (DOCS / "images").glob("*.svg")}
    assert kept == now


# ---- the checks see what they are for --------------------------------------


def test_a_line_that_does_not_come_out_is_missed() -> None:
    assert missing(["one …", "three"], "one 1\ntwo\nthree\n") is None
    assert missing(["three", "one …"], "one 1\ntwo\nthree\n") == "one …"


def test_a_command_that_fails_is_seen(tmp_path: Path) -> None:
    failing = Block("console", "", "$ false\n$ true\n")
    with pytest.raises(AssertionError):
        perform(failing, tmp_path, dict(os.environ))


def test_a_link_to_a_heading_that_is_not_there_is_broken(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading\n[good](#a-heading) [bad](#b) [gone](gone.md)\n")
    assert list(broken_links(page)) == ["#b", "gone.md"]
