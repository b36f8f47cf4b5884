"""What a strategy remembers comes back as it was, or is refused by its name."""

from __future__ import annotations

import enum
import math
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import attrs
import polars as pl
import pytest
from hypothesis import given, strategies as st
from polars.testing import assert_frame_equal, assert_series_equal

from holdfast import Amount
from holdfast_actors.strategy.state import CannotSave, Memory, decode, encode
from holdfast_domain.instruments import Instrument

from .desk import INSTRUMENTS, SPY


class Colour(enum.Enum):
    RED = 1
    BLUE = "blue"


class Side(enum.StrEnum):
    UP = "up"
    DOWN = "down"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@attrs.frozen
class Signal:
    name: str
    strength: Decimal
    at: datetime | None = None


@attrs.define
class Tracker:
    best: float = 0.0
    history: list[Any] = attrs.field(factory=list)


class Pair(NamedTuple):
    left: int
    right: int


zones = st.sampled_from([UTC, timezone(timedelta(hours=-5))])
hashable = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.decimals(allow_nan=False),
    st.decimals(allow_nan=False, allow_infinity=False).map(Amount),
    st.datetimes(timezones=zones),
    st.datetimes(),
    st.dates(),
    st.timedeltas(),
    st.sampled_from([*Colour, *Level, *Side]),
    st.sampled_from(list(INSTRUMENTS.values())),
    st.builds(Signal, st.text(), st.decimals(allow_nan=False), st.none()),
)
values = st.recursive(
    hashable,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(hashable, inner, max_size=4),
        st.sets(hashable, max_size=4),
        st.frozensets(hashable, max_size=4),
        st.builds(deque, st.lists(inner, max_size=4), st.sampled_from([None, 2, 9])),
        st.builds(Tracker, st.floats(allow_nan=False), st.lists(inner, max_size=2)),
    ),
    max_leaves=12,
)


def kinds(value: Any) -> Any:
    """Return the types inside of a value, for 1 == True == Decimal(1)."""
    if isinstance(value, dict):
        return [(kinds(k), kinds(v)) for k, v in value.items()]
    if isinstance(value, list | tuple | deque):
        return [type(value), *map(kinds, value)]
    if isinstance(value, deque):
        return value.maxlen
    return type(value)


@given(values)
def test_what_can_be_saved_comes_back_as_it_was(value: Any) -> None:
    back = decode(encode("self.x", value), INSTRUMENTS)

    assert back == value
    assert kinds(back) == kinds(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1])
def test_every_float_comes_back(value: float) -> None:
    back = decode(encode("self.x", value), INSTRUMENTS)

    assert repr(back) == repr(value)


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1E+30", "0.00"])
def test_every_decimal_comes_back(text: str) -> None:
    assert str(decode(encode("self.x", Decimal(text)), INSTRUMENTS)) == text


def test_frames_and_series_come_back() -> None:
    frame = pl.DataFrame(
        {"a": [1, None], "b": ["x", "y"], "at": [datetime(2024, 1, 1, tzinfo=UTC)] * 2}
    )

    back = decode(encode("self.x", {"frame": frame, "series": frame["b"]}), INSTRUMENTS)

    assert_frame_equal(back["frame"], frame)
    assert_series_equal(back["series"], frame["b"])


def test_a_deque_keeps_its_bound() -> None:
    back = decode(encode("self.x", deque([1, 2], maxlen=2)), INSTRUMENTS)

    back.append(3)
    assert list(back) == [2, 3]


def test_an_instrument_is_that_of_the_run_and_not_a_copy() -> None:
    assert decode(encode("self.x", [SPY]), INSTRUMENTS)[0] is SPY


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (object(), "self.x"),
        (lambda: None, "self.x"),
        ([1, {"k": threading.Lock()}], "self.x[1]['k']"),
        ((1, {2, iter(())}), "self.x[1] item"),
        ({object(): 1}, "self.x key"),
        (Tracker(history=[print]), "self.x.history[0]"),
        (deque([open]), "self.x[0]"),
        (1 + 2j, "self.x"),
    ],
    ids=["object", "function", "lock", "iterator", "key", "builtin", "open", "complex"],
)
def test_what_cannot_be_saved_is_named(value: Any, where: str) -> None:
    with pytest.raises(CannotSave) as refused:
        encode("self.x", value)

    assert refused.value.attribute == where


@pytest.mark.parametrize(
    "value",
    [
        OrderedDict(b=1, a=2),
        defaultdict(list, a=[1]),
        defaultdict(None, a=1),
        Counter("aab"),
        Pair(1, 2),
        Side.UP,
    ],
    ids=repr,
)
def test_the_common_subclasses_come_back_as_themselves(value: Any) -> None:
    back = decode(encode("self.x", value), INSTRUMENTS)

    assert type(back) is type(value)
    assert back == value
    assert repr(back) == repr(value)


class Text(str):
    """A subclass of what can be saved: it would come back as its base."""


class Chosen(list[int]):
    """Likewise."""


def local() -> object:
    """Return an object whose class cannot be found again by its name."""

    @attrs.define
    class Hidden:
        value: int = 0

    return Hidden()


@pytest.mark.parametrize(
    "value",
    [Text("a"), Chosen([1]), local(), defaultdict(lambda: 1)],
    ids=["str", "list", "local", "lambda"],
)
def test_what_would_not_come_back_as_itself_is_refused(value: Any) -> None:
    with pytest.raises(CannotSave) as refused:
        encode("self.x", value)

    assert refused.value.attribute.startswith("self.x")


def test_a_date_is_no_datetime() -> None:
    back = decode(encode("self.x", date(2024, 1, 2)), INSTRUMENTS)

    assert type(back) is date


# --- what changed -------------------------------------------------------------


class Owner:
    """An object with attributes."""


def remembered(owner: Owner, attributes: dict[str, Any]) -> Owner:
    """Return ``owner`` with these attributes, and no others."""
    vars(owner).clear()
    vars(owner).update(attributes)
    return owner


def test_memory_tells_what_is_new_changed_and_gone() -> None:
    memory = Memory({"self": (own := Owner())})
    remembered(own, {"a": 1, "b": [1]})

    assert memory.changes() == {"self.a": "1", "self.b": "[1]"}
    assert memory.changes() == {}

    remembered(own, {"b": [1]})

    assert memory.changes() == {"self.a": None}

    remembered(own, {"a": 1, "b": [1]})

    assert memory.changes() == {"self.a": "1"}


def test_memory_tells_whose_an_attribute_is() -> None:
    both = {"self": Owner(), "context": Owner()}
    memory = Memory(both)
    for owner in both.values():
        remembered(owner, {"a": 1, "b": 2})
    memory.changes()

    del both["self"].b, both["context"].a  # type: ignore[attr-defined]
    both["context"].b = 3  # type: ignore[attr-defined]

    told = {"context.b": "3", "self.b": None, "context.a": None}
    assert list(memory.changes().items()) == list(told.items())


@pytest.mark.parametrize("fixed", [1, None, "a", Decimal("1.5")])
def test_memory_sees_that_a_value_is_again_what_it_was(fixed: object) -> None:
    memory = Memory({"self": (own := Owner())})
    texts = []
    for value in (fixed, [1], fixed, fixed):
        remembered(own, {"a": value})
        texts.append(memory.changes().get("self.a"))

    assert texts == [encode("", fixed), "[1]", encode("", fixed), None]


def test_memory_sees_a_change_inside_of_a_container() -> None:
    inside = [1]
    memory = Memory({"self": remembered(Owner(), {"a": inside})})
    memory.changes()

    inside.append(2)

    assert memory.changes() == {"self.a": "[1,2]"}


@attrs.define
class Tally:
    count: int = 0


def test_memory_sees_a_change_inside_of_an_object() -> None:
    counter = Tally()
    memory = Memory({"self": remembered(Owner(), {"a": counter})})
    memory.changes()

    counter.count += 1

    assert "1" in str(memory.changes()["self.a"])


def test_memory_has_the_whole_at_once_and_still_tells_what_changed() -> None:
    own = remembered(Owner(), {"a": 1, "gone": 2})
    memory = Memory({"self": own})
    memory.changes()
    remembered(own, {"a": 1, "b": 2})

    whole = memory.between()

    assert whole == {"self.a": "1", "self.b": "2", "self.gone": None}
    assert memory.changes() == {"self.b": "2", "self.gone": None}


@given(st.lists(st.dictionaries(st.sampled_from("abc"), values), max_size=6))
def test_the_changes_added_up_are_the_whole(snapshots: list[dict[str, Any]]) -> None:
    memory = Memory({"self": (own := Owner())})
    saved: dict[str, str] = {}

    for snapshot in snapshots:
        remembered(own, snapshot)
        for name, text in memory.changes().items():
            if text is None:
                del saved[name]
            else:
                saved[name] = text
        back = {name: decode(text, INSTRUMENTS) for name, text in saved.items()}
        assert back == {f"self.{name}": each for name, each in snapshot.items()}


def test_a_saved_instrument_that_the_run_no_longer_has_is_an_error() -> None:
    text = encode("self.x", Instrument(symbol="GONE"))

    with pytest.raises(KeyError):
        decode(text, INSTRUMENTS)
