"""Parameters: class attributes of a strategy that the outside may set."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Generic, TypeVar, overload

from holdfast_domain.errors import InputError
from holdfast_domain.money import to_decimal

T = TypeVar("T")

_SCALARS = (bool, int, float, Decimal, str)
"""The types of defaults by which what is given is checked."""


class param(Generic[T]):
    """Declare a parameter with its default; its type is the default's.

    >>> class Momentum:
    ...     window = param(30)
    >>> Momentum().window
    30
    """

    def __init__(self, default: T, doc: str = "") -> None:
        self.default = default
        self.__doc__ = doc
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> param[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> T | param[T]:
        if instance is None:
            return self
        return instance.__dict__.get(self.name, self.default)  # type: ignore[no-any-return]


def declared_params(strategy: type) -> dict[str, param[Any]]:
    """Return the parameters that ``strategy`` declares, its bases' included."""
    return {
        name: value
        for base in reversed(strategy.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, param)
    }


def all_values(strategy: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every declared parameter, ``given`` or by default."""
    declared = declared_params(strategy)
    return {name: given.get(name, each.default) for name, each in declared.items()}


def parse_params(strategy: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``given`` (texts, or values) as values of the declared types.

    Raises:
        InputError: a name that is not declared, or a value of another type.
    """
    declared = declared_params(strategy)
    values = {}
    for name, value in given.items():
        if name not in declared:
            raise InputError(
                f"--param {name}",
                f"one of {', '.join(sorted(declared)) or 'none (it declares none)'}",
                repr(name),
                f"declare it in {strategy.__name__} as {name} = param(default)",
            )
        values[name] = _parse(name, declared[name].default, value)
    return values


def _parse(name: str, default: Any, value: Any) -> Any:  # noqa: ANN401
    kind = type(default)
    if type(value) is kind or kind not in _SCALARS:
        return value
    try:
        if kind is bool:
            return {"true": True, "false": False, "1": True, "0": False}[value.lower()]
        if isinstance(value, str) or (type(value) is int and kind is not str):
            return kind(value)
        if kind is Decimal and type(value) is float:
            return to_decimal(value)
    except (ValueError, ArithmeticError, KeyError, AttributeError):
        pass
    raise InputError(f"--param {name}", f"a value of type {kind.__name__}", repr(value))
