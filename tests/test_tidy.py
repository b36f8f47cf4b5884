"""What the house style asks of every file, and that each rule finds what it seeks.

A rule takes the root of a tree that is laid out like this repository and yields one
line per breach; so it runs over the repository and over a seeded breach alike.
"""

from __future__ import annotations

import ast
import fnmatch
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("runtime", "actors", "adapters")
CODE = (*PACKAGES, "tests", "examples")
TOP_LEVEL = {*CODE, "docs"}
FUNCTION_LIMIT = 50
FILE_LIMIT = 400

# In brackets, so that these lines are no breach of their own rules.
UNFINISHED = re.compile(r"\b([T]ODO|[F]IXME|[X]XX)\b")
MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:[h]ome|[r]oot|[w]ork)/")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
ELSEWHERE = re.compile(r"[a-z]+:|#")

THREADS = re.compile(
    r"(pykka|asyncio|concurrent\.futures|_thread|multiprocessing\.(pool|dummy))(\..*)?"
    r"|threading\.(Thread|Timer)|trio\.to_thread"
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function
Rule = Callable[[Path], Iterator[str]]


def python_files(root: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((root / folder).rglob("*.py"))


def text_files(root: Path) -> Iterator[Path]:
    """What people write: code, pages and the files of the top level."""
    yield from python_files(root, CODE)
    for folder in (*CODE, "docs"):
        yield from sorted((root / folder).rglob("*.md"))
    yield from sorted(path for path in root.glob("*") if path.is_file())
    yield from sorted(path for path in root.glob(".ci/*") if path.is_file())


def ignored(root: Path) -> list[str]:
    """The names of the folders that version control leaves out."""
    lines = (root / ".gitignore").read_text().split()
    return [line.rstrip("/") for line in lines if line.endswith("/")]


def walk(root: Path) -> Iterator[Path]:
    """Every file under version control, or that would be."""
    skipped = [*ignored(root), ".git"]
    for folder, children, names in os.walk(root):
        children[:] = [name for name in children if not matches(name, skipped)]
        yield from (Path(folder, name) for name in names)


def matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def trees(root: Path, folders: tuple[str, ...]) -> Iterator[tuple[Path, ast.Module]]:
    for path in python_files(root, folders):
        yield path.relative_to(root), ast.parse(path.read_text())


# ---- the rules -------------------------------------------------------------


def long_functions(root: Path) -> Iterator[str]:
    for path, tree in trees(root, CODE):
        for node in ast.walk(tree):
            if isinstance(node, Function) and body_lines(node) > FUNCTION_LIMIT:
                yield f"{path}:{node.lineno}: {node.name}: {body_lines(node)} lines"


def body_lines(function: Function) -> int:
    """The lines of its body, from the first after the docstring to the last."""
    after_docstring = 1 if ast.get_docstring(function) is not None else 0
    body = function.body[after_docstring:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def long_files(root: Path) -> Iterator[str]:
    for path in python_files(root, CODE):
        lines = len(path.read_text().splitlines())
        if lines > FILE_LIMIT:
            yield f"{path.relative_to(root)}: {lines} lines"


def undocumented_names(root: Path) -> Iterator[str]:
    for path, tree in trees(root, PACKAGES):
        if not any(is_private(part) for part in (*path.parts[:-1], path.stem)):
            for line, name in undocumented(tree, "module"):
                yield f"{path}:{line}: {name} has no docstring"


def undocumented(node: Documented, name: str) -> Iterator[tuple[int, str]]:
    """The public names in a module or class, down to the methods."""
    if ast.get_docstring(node) is None:
        yield getattr(node, "lineno", 1), name
    if isinstance(node, Function):
        return
    for child in node.body:
        if isinstance(child, ast.ClassDef | Function) and needs_docstring(child):
            yield from undocumented(child, child.name)


def needs_docstring(node: ast.ClassDef | Function) -> bool:
    """A setter is told by its getter, an overload by its implementation."""
    told = {"overload", "setter"}
    decorators = {ast.unparse(each).split(".")[-1] for each in node.decorator_list}
    return not node.name.startswith("_") and not decorators & told


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def unfinished_work(root: Path) -> Iterator[str]:
    yield from lines_that_match(root, UNFINISHED)


def machine_paths(root: Path) -> Iterator[str]:
    yield from lines_that_match(root, MACHINE_PATH)


def lines_that_match(root: Path, pattern: re.Pattern[str]) -> Iterator[str]:
    for path in text_files(root):
        text = path.read_text(errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                yield f"{path.relative_to(root)}:{number}: {line.strip()}"


def top_level_folders(root: Path) -> Iterator[str]:
    folders = {path.name for path in root.iterdir() if path.is_dir()}
    skipped = [*ignored(root), ".*"]
    seen = {name for name in folders if not matches(name, skipped)}
    yield from (f"{name}/ is one folder too many" for name in sorted(seen - TOP_LEVEL))
    yield from (f"{name}/ is not there" for name in sorted(TOP_LEVEL - seen))


def lock_files(root: Path) -> Iterator[str]:
    patterns = ["*.lock", "*-lock.json", "*-lock.yaml"]
    found = (path for path in walk(root) if matches(path.name, patterns))
    yield from (str(path.relative_to(root)) for path in found)


def broken_links(root: Path) -> Iterator[str]:
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
    for page in sorted(pages):
        for target in LINK.findall(FENCE.sub("", page.read_text())):
            file = page.parent / target.split("#")[0]
            if not ELSEWHERE.match(target) and not file.exists():
                yield f"{page.relative_to(root)}: {target}"


def actors_that_import_trio(root: Path) -> Iterator[str]:
    for path, tree in trees(root, ("actors/holdfast_actors",)):
        for node in ast.walk(tree):
            if "trio" in (name.split(".")[0] for name in imported(node)):
                yield f"{path}:{getattr(node, 'lineno', 0)}: imports trio"


HOSTED = ("adapters/holdfast_adapters/ib/",)
"""Whose code runs in the loop of an asyncio library."""

WAITS = re.compile(
    r"asyncio(\.(Future|Event|Task|CancelledError|FIRST_COMPLETED|sleep|wait|wait_for"
    r"|ensure_future|get_running_loop))?"
)


def threads_elsewhere(root: Path) -> Iterator[str]:
    """Only `holdfast_runtime.threads` starts threads, or hosts who does.

    What is hosted waits and sleeps in the loop that it finds, and starts none.
    """
    for path, tree in trees(root, PACKAGES):
        if "runtime/holdfast_runtime/threads/" in path.as_posix():
            continue
        hosted = any(folder in path.as_posix() for folder in HOSTED)
        for node in ast.walk(tree):
            for name in (*imported(node), ast.unparse(node) if spelt(node) else ""):
                if THREADS.fullmatch(name) and not (hosted and WAITS.fullmatch(name)):
                    yield f"{path}:{getattr(node, 'lineno', 0)}: {name}"


def spelt(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports, by their full names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        module = node.module or ""
        return [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return []


# ---- the repository keeps them ---------------------------------------------


RULES: tuple[Rule, ...] = (
    long_functions,
    long_files,
    undocumented_names,
    unfinished_work,
    machine_paths,
    top_level_folders,
    lock_files,
    broken_links,
    actors_that_import_trio,
    threads_elsewhere,
)


@pytest.mark.parametrize("rule", RULES)
def test_the_repository_keeps_the_rule(rule: Rule) -> None:
    assert list(rule(ROOT)) == []


# ---- the rules find what they seek -----------------------------------------


def function_of(lines: int) -> str:
    docstring = '    """One.\n\n    Two.\n    """\n'
    return f'"""M."""\n\n\ndef f():\n{docstring}' + "    f()\n" * lines


MODULE = "runtime/holdfast_runtime/a.py"
ACTOR = "actors/holdfast_actors/a.py"
HOST = "adapters/holdfast_adapters/ib/a.py"
MARK = "TO" + "DO"
HOME = "/" + "home/me"

BREACHES: tuple[tuple[Rule, str, str, str], ...] = (
    (long_functions, MODULE, function_of(51), f"{MODULE}:4: f: 51 lines"),
    (long_functions, "tests/test_a.py", function_of(51), "tests/test_a.py:4: f: 51"),
    (long_files, MODULE, "x = 1\n" * 401, f"{MODULE}: 401 lines"),
    (undocumented_names, MODULE, "x = 1\n", f"{MODULE}:1: module"),
    (undocumented_names, MODULE, '"""M."""\ndef f(): ...\n', f"{MODULE}:2: f"),
    (undocumented_names, MODULE, '"""M."""\nclass C: ...\n', f"{MODULE}:2: C"),
    (
        undocumented_names,
        MODULE,
        '"""M."""\nclass C:\n  """C."""\n  async def m(self): ...\n',
        f"{MODULE}:4: m",
    ),
    (unfinished_work, MODULE, f"x = 1  # {MARK}\n", f"{MODULE}:1: x = 1"),
    (unfinished_work, "docs/a.md", f"One\n\n{MARK}: two\n", "docs/a.md:3"),
    (machine_paths, MODULE, f'x = "{HOME}/x"\n', f"{MODULE}:1"),
    (machine_paths, "README.md", f"see `{HOME}/x`\n", "README.md:1"),
    (top_level_folders, "scripts/a.py", "", "scripts/ is one folder too many"),
    (lock_files, "uv.lock", "", "uv.lock"),
    (lock_files, "docs/package-lock.json", "", "docs/package-lock.json"),
    (broken_links, "docs/a.md", "[b](b.md#c)\n", "docs/a.md: b.md#c"),
    (broken_links, "README.md", "[b](docs/b.md)\n", "README.md: docs/b.md"),
    (threads_elsewhere, MODULE, "import pykka\n", f"{MODULE}:1: pykka"),
    (threads_elsewhere, MODULE, "x = threading.Thread()\n", f"{MODULE}:1: threading"),
    (threads_elsewhere, ACTOR, "from threading import Timer\n", f"{ACTOR}:1"),
    (threads_elsewhere, ACTOR, "import asyncio\n", f"{ACTOR}:1: asyncio"),
    (threads_elsewhere, HOST, "asyncio.run(f)\n", f"{HOST}:1: asyncio.run"),
    (actors_that_import_trio, ACTOR, "import trio.lowlevel\n", f"{ACTOR}:1"),
    (actors_that_import_trio, ACTOR, "def f():\n  from trio import x\n", f"{ACTOR}:2"),
)

CLEAN = {
    ".gitignore": ".venv/\nbuild/\n*.egg-info/\n",
    MODULE: function_of(50) + "\n\nclass _Hidden: ...\n",
    "runtime/holdfast_runtime/threads/a.py": '"""M."""\n\nimport pykka\n',
    HOST: '"""M."""\n\nimport asyncio\n\nasyncio.Event()\n',
    "runtime/holdfast_runtime/_b.py": "def f(): ...\n",
    ACTOR: '"""M."""\n\nfrom .trio import triology\n',
    "README.md": '[a](docs/a.md#b "A") [c](https://a.b/home/c)\n```\n[d](e)\n```\n',
    "docs/a.md": "[up](../README.md) [here](#b)\n",
    "build/uv.lock": "",
    "h.egg-info/a": "",
}


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """A small tree that breaks no rule."""
    for folder in TOP_LEVEL:
        (tmp_path / folder).mkdir()
    for name, text in CLEAN.items():
        write(tmp_path / name, text)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_nothing_in_a_clean_tree(rule: Rule, clean: Path) -> None:
    assert list(rule(clean)) == []


@pytest.mark.parametrize(("rule", "name", "text", "said"), BREACHES)
def test_a_rule_finds_a_seeded_breach(
    rule: Rule, name: str, text: str, said: str, clean: Path
) -> None:
    write(clean / name, text)
    (breach,) = rule(clean)
    assert breach.startswith(said)


def test_a_missing_top_level_folder_is_a_breach(clean: Path) -> None:
    (clean / "docs" / "a.md").unlink()
    (clean / "docs").rmdir()
    assert list(top_level_folders(clean)) == ["docs/ is not there"]


def test_every_rule_has_a_seeded_breach() -> None:
    assert {rule for rule, *_ in BREACHES} == set(RULES)
