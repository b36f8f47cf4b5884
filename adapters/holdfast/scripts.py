"""A script of faults for a venue on the desk, as a YAML file says it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import attrs
import yaml

from holdfast.configuration.binding import Binder, Check, at_least_0
from holdfast_adapters.data.refusals import shown
from holdfast_adapters.data.yamlfile import root_of
from holdfast_adapters.simulators.script import Kinds, ScriptedFault
from holdfast_domain.errors import InputError
from holdfast_domain.money import to_decimal

CODES: Final = (1000, 4999)
"""What a WebSocket may be closed with."""

Moment: TypeAlias = Annotated[
    float, Check("seconds after the start", lambda text: float(at_least_0(text)))
]
Number: TypeAlias = Annotated[
    float, Check("a number", lambda text: float(to_decimal(text)))
]


@attrs.frozen(kw_only=True)
class FaultConfig:
    """One fault; see `ScriptedFault`."""

    at_s: Moment
    fault: str
    of: str = ""
    until_s: Moment | None = None
    count: int | None = None
    value: Number | None = None
    place: str = ""


@attrs.frozen(kw_only=True)
class ScriptConfig:
    """A file of faults."""

    faults: tuple[FaultConfig, ...]
    place: str = ""


def read_script(path: Path, kinds: Kinds) -> tuple[ScriptedFault, ...]:
    """Return the faults in a file, as far as a venue has ``kinds`` of them.

    Raises:
        InputError: with line and column, what was expected and what came.
    """
    root = root_of(path)
    if not isinstance(root, yaml.MappingNode):
        raise InputError(str(path), "a mapping with faults", "none")
    script = Binder(path, {}).bind(ScriptConfig, root)
    if not script.faults:
        raise InputError(script.place, "at least one fault", "none")
    return tuple(_checked(each, kinds) for each in script.faults)


def _checked(said: FaultConfig, kinds: Kinds) -> ScriptedFault:
    if said.of and said.of not in kinds.operations:
        expected, came = f"one of {', '.join(kinds.operations)}", shown(said.of)
        raise InputError(f"{said.place}, of", expected, came, "correct it")
    known = kinds.known_for(said.of) if said.of else kinds.at_large
    if said.fault not in known:
        todo = f"those are for {said.of}" if said.of else "others need of: OPERATION"
        expected, came = f"one of {', '.join(known)}", shown(said.fault)
        raise InputError(f"{said.place}, fault", expected, came, todo)
    _check_time(said, kinds)
    _check_value(said, kinds)
    return ScriptedFault(
        at_s=said.at_s,
        kind=said.fault,
        of=said.of,
        until_s=said.until_s,
        count=said.count or 1,
        value=said.value,
    )


def _check_time(said: FaultConfig, kinds: Kinds) -> None:
    where, is_of_venue = f"{said.place}, until_s", not said.of
    if said.until_s is None:
        if is_of_venue and said.fault in kinds.lasting:
            raise InputError(where, f"an end of {said.fault}", "none", "say when")
        return
    if said.until_s <= said.at_s:
        expected, came = f"a time after {said.at_s:g}", f"{said.until_s:g}"
        raise InputError(where, expected, came, "correct it")
    if is_of_venue and said.fault in kinds.momentary:
        came = f"{said.until_s:g}"
        raise InputError(where, f"no end of {said.fault}", came, "drop it")
    if said.count is not None:
        came = "until_s and count"
        raise InputError(where, "one of until_s and count", came, "drop one of them")


def _check_value(said: FaultConfig, kinds: Kinds) -> None:
    where, value = f"{said.place}, value", said.value
    if value is None:
        if not said.of and said.fault in kinds.measured:
            raise InputError(where, f"a number for {said.fault}", "none", "add it")
        return
    if value <= 0 and said.fault != "skew":
        raise InputError(where, "a number above 0", f"{value:g}", "correct it")
    least, most = CODES
    if said.fault == "closed" and not least <= value <= most:
        raise InputError(where, f"{least} to {most}", f"{value:g}", "correct it")
