"""Typed values from YAML nodes: attrs classes say what may stand where.

An error names line and column and repeats what the file says, never what a variable
stands for.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs
import yaml

from holdfast.configuration.secrets import Secret
from holdfast.configuration.substituting import is_variable, substituted
from holdfast_adapters.data.refusals import shown
from holdfast_adapters.data.yamlfile import at, is_null, items_of
from holdfast_domain.errors import DomainError, InputError
from holdfast_domain.money import to_decimal

T = TypeVar("T")
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}
_CAME = {
    yaml.ScalarNode: "one value",
    yaml.SequenceNode: "a list",
    yaml.MappingNode: "a mapping",
}


@attrs.frozen
class Check:
    """What a value must be, in words; and what makes it one, or raises `ValueError`."""

    expected: str
    read: Callable[[str], Any]


@attrs.frozen
class Binder:
    """Reads one file, with the variables of ``environ``."""

    path: Path
    environ: Mapping[str, str]

    def bind(self, kind: type[T], node: yaml.Node) -> T:
        """Return an object of the attrs class ``kind``, made of a mapping's values.

        A field's name is its key; one that ends with ``_`` is without it there. The
        field ``place`` is where the mapping stands, for errors that come later.

        Raises:
            InputError: a key or a value is wrong, or one is missing.
        """
        self._check_is(yaml.MappingNode, node, "a mapping")
        assert isinstance(node, yaml.MappingNode)
        hints = get_type_hints(kind, include_extras=True)
        fields = attrs.fields(kind)  # type: ignore[arg-type]
        keys = {each.name.rstrip("_"): each for each in fields if each.name != "place"}
        values: dict[str, Any] = {}
        for name, key, value in items_of(node, self.path):
            if name not in keys:
                expected = f"one of {', '.join(keys)}"
                came, todo = shown(name), "drop or rename it"
                raise InputError(at(self.path, key), expected, came, todo)
            if not is_null(value):
                attribute = keys[name].name
                values[attribute] = self.value(hints[attribute], value, name)
        for name, each in keys.items():
            if each.default is attrs.NOTHING and each.name not in values:
                raise InputError(at(self.path, node), f"the key {name}", "none")
        if "place" in hints:
            values["place"] = at(self.path, node)
        return kind(**values)

    def value(self, kind: Any, node: yaml.Node, name: str) -> Any:  # noqa: ANN401
        """Return the value of ``node`` as the type ``kind``.

        Raises:
            InputError: it is none.
        """
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            (kind,) = [each for each in arguments if each is not type(None)]
            return self.value(kind, node, name)
        if attrs.has(kind):
            return self._secret(node, name) if kind is Secret else self.bind(kind, node)
        if origin is tuple:
            self._check_is(yaml.SequenceNode, node, f"a list ({name})")
            return tuple(self.value(arguments[0], each, name) for each in node.value)
        if origin is dict:
            self._check_is(yaml.MappingNode, node, f"a mapping ({name})")
            assert isinstance(node, yaml.MappingNode)
            return {
                key: self.value(arguments[1], value, key)
                for key, _, value in items_of(node, self.path)
            }
        return self._scalar(kind, node, name)

    def _scalar(self, kind: Any, node: yaml.Node, name: str) -> Any:  # noqa: ANN401
        check = _check_of(kind)
        where = f"{at(self.path, node)}, {name}"
        self._check_is(yaml.ScalarNode, node, check.expected, where)
        text = substituted(str(node.value), self.environ, where)
        if kind is Path:
            return self.path.parent / Path(text).expanduser()
        try:
            return check.read(text)
        except (ValueError, DomainError):
            came = shown(node.value)
            raise InputError(where, check.expected, came, "correct it") from None

    def _secret(self, node: yaml.Node, name: str) -> Secret:
        where = f"{at(self.path, node)}, {name}"
        if not isinstance(node, yaml.ScalarNode) or not is_variable(node.value):
            expected = "a variable such as ${NAME}: no secret stands in this file"
            todo = "set it in the environment, in .env, or name a file"
            raise InputError(where, expected, "something else", todo)
        return Secret(substituted(node.value, self.environ, where))

    def _check_is(
        self, kind: type[yaml.Node], node: yaml.Node, expected: str, where: str = ""
    ) -> None:
        # What stands there instead is not repeated: it may be a secret, misplaced.
        if not isinstance(node, kind):
            came = _CAME[type(node)]
            raise InputError(where or at(self.path, node), expected, came, "correct it")


def _check_of(kind: Any) -> Check:  # noqa: ANN401
    """Return how a text becomes a value of a type that is no collection."""
    if get_origin(kind) is Annotated:
        check = get_args(kind)[1]
        assert isinstance(check, Check)
        return check
    if get_origin(kind) is Literal:
        words = {str(each): each for each in get_args(kind)}
        return Check(f"one of {', '.join(words)}", lambda text: _one_of(words, text))
    return {
        str: Check("a text", _text),
        bool: Check("true or false", lambda text: _one_of(_TRUTH, text.lower())),
        int: Check("a whole number from 1", _whole),
        Path: Check("a path", Path),
    }[kind]


def _one_of(words: Mapping[str, T], text: str) -> T:
    if text not in words:
        raise ValueError(text)
    return words[text]


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError(text)
    return text


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def positive(text: str) -> Decimal:
    """Return a number above 0.

    Raises:
        ValueError: it is none.
    """
    number = to_decimal(text)
    if number <= 0:
        raise ValueError(text)
    return number


def at_least_0(text: str) -> Decimal:
    """Return a number that is not below 0.

    Raises:
        ValueError: it is none.
    """
    number = to_decimal(text)
    if number < 0:
        raise ValueError(text)
    return number


def plain_name(text: str) -> str:
    """Return a name that can be a part of a path.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", text):
        raise ValueError(text)
    return text
