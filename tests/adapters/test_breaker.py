"""A breaker opens after failures in a row, and closes after answers in a row."""

from __future__ import annotations

from hypothesis import example, given, strategies as st

from holdfast_adapters.breaker import Breaker

OPEN_S = 60.0


def opened() -> Breaker:
    breaker = Breaker()
    for _ in range(5):
        assert breaker.is_closed
        breaker.failed(100.0)
    return breaker


def test_failures_in_a_row_open_it_and_an_answer_between_them_does_not() -> None:
    assert opened().wait_s(110.0) == 50.0
    breaker = Breaker()
    for _ in range(20):
        for _ in range(4):
            breaker.failed(0.0)
        breaker.answered()
    assert breaker.is_closed


def test_two_answers_close_it_and_one_failure_opens_it_again() -> None:
    breaker = opened()
    assert breaker.wait_s(160.0) == 0.0
    breaker.answered()
    assert not breaker.is_closed
    breaker.failed(161.0)
    assert breaker.wait_s(161.0) == OPEN_S
    breaker.answered()
    assert not breaker.is_closed
    breaker.answered()
    assert breaker.is_closed


@example(
    [
        (False, s)
        for s in (0.0, 1.7262669053090605, 1.8999999999999986, 1.1, 63.669823232972675)
    ]
)
@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 100.0)), max_size=60))
def test_it_never_waits_longer_than_it_says(steps: list[tuple[bool, float]]) -> None:
    breaker, now_s, last_s = Breaker(), 0.0, 0.0
    for answers, passed_s in steps:
        now_s += passed_s
        if breaker.wait_s(now_s) == 0.0:
            if answers:
                breaker.answered()
            else:
                breaker.failed(now_s)
                last_s = now_s
        assert 0.0 <= breaker.wait_s(now_s) <= OPEN_S
        assert breaker.wait_s(last_s + OPEN_S) == 0.0
