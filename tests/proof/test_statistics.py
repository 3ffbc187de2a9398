"""Percentiles are nearest rank, and not given where too few samples would carry them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.proof.statistics import latency, median, median_ratio, nearest_rank, ratio, samples_needed

FLOATS = st.floats(0, 1e6, allow_nan=False)


def test_nearest_rank_as_the_textbook_has_it() -> None:
    scores = [15.0, 20.0, 35.0, 40.0, 50.0]
    assert [nearest_rank(scores, p) for p in (5, 30, 40, 50, 100)] == [15.0, 20.0, 20.0, 35.0, 50.0]


@given(st.lists(FLOATS, min_size=1), st.floats(0.1, 100))
def test_at_least_so_many_do_not_exceed_it_and_fewer_would_not_do(
    samples: list[float], percent: float
) -> None:
    ordered = sorted(samples)
    found = nearest_rank(ordered, percent)
    assert found in ordered
    needed = percent * len(ordered) / 100
    assert sum(one <= found for one in ordered) >= needed - 1e-6
    assert sum(one < found for one in ordered) < needed + 1e-6


@pytest.mark.parametrize("percent", [0, -1, 100.1])
def test_no_such_percentile(percent: float) -> None:
    with pytest.raises(ValueError, match="percent"):
        nearest_rank([1.0], percent)


def test_no_samples_no_percentile() -> None:
    with pytest.raises(ValueError, match="no samples"):
        nearest_rank([], 50)
    assert latency([]).n == 0
    assert latency([]).mean_ms is latency([]).max_ms is latency([]).p50_ms is None


def test_ten_samples_lie_beyond_every_percentile() -> None:
    assert [samples_needed(p) for p in (50, 95, 99)] == [20, 200, 1000]


@pytest.mark.parametrize(("n", "known"), [(999, False), (1000, True)])
def test_no_p99_under_a_thousand(n: int, known: bool) -> None:
    found = latency(i / 1000 for i in range(1, n + 1))
    assert found.n == n
    assert (found.p99_ms is not None) == known
    assert found.p95_ms == math.ceil(0.95 * n)


def test_p99_of_a_thousand_is_the_990th() -> None:
    found = latency(i / 1000 for i in reversed(range(1, 1001)))
    assert (found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms) == (500, 950, 990, 1000)
    assert found.mean_ms == 500.5


def test_a_median_with_a_hole_is_none() -> None:
    assert median([3, 1, 2]) == 2
    assert median([3, None, 2]) is None
    assert median([]) is None


def test_the_ratio_of_rounds_is_not_the_ratio_of_medians() -> None:
    # The machine halves its speed for the last two rounds: each round says 0.5, the medians would say 1.
    measured, yardstick = [50.0, 25.0, 25.0], [100.0, 50.0, 50.0]
    assert median_ratio(measured, yardstick) == 0.5
    assert ratio(1.0, 0.0) is ratio(None, 1.0) is ratio(1.0, None) is None
    assert median_ratio([1.0], [1.0, 2.0]) is None
