"""YAML as nodes that know where they stand, so that an error names line and column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from holdfast_adapters.data.refusals import shown
from holdfast_domain.errors import InputError

_NULL = "tag:yaml.org,2002:null"


def root_of(path: Path) -> yaml.Node | None:
    """Return the root of the file; None where it is empty.

    Raises:
        InputError: it cannot be read, or is not YAML.
    """
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = str(path) if mark is None else place(path, mark)
        came = f"none ({error.problem})"
        raise InputError(where, "YAML", came, "correct the line") from error
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        came = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(str(path), "a YAML file", came, "check the file") from error


def items_of(
    node: yaml.MappingNode, path: Path
) -> Iterator[tuple[str, yaml.ScalarNode, yaml.Node]]:
    """Yield key, its node and its value; the key is the text that the user wrote.

    Raises:
        InputError: a key is no name, or stands there twice.
    """
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or not key.value.strip():
            raise InputError(at(path, key), "a name as key", "none", "write a name")
        if key.value in seen:
            came = f"{shown(key.value)} again"
            raise InputError(at(path, key), "each key once", came, "drop one of them")
        seen.add(key.value)
        yield key.value, key, value


def at(path: Path, node: yaml.Node) -> str:
    """Return where a node begins; line and column count from 1."""
    return place(path, node.start_mark)


def place(path: Path, mark: yaml.Mark) -> str:
    """Return the place of a mark in the file."""
    return f"{path}, line {mark.line + 1}, column {mark.column + 1}"


def is_null(node: yaml.Node) -> bool:
    """Tell whether a value was left out."""
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL
