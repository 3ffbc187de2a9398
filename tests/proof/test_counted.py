"""What is made of counters: differences of two readings, percentiles of bins, statements in between. Without a server."""

import pytest

from holdfast.proof.evidence.binned import distribution
from holdfast.proof.evidence.counted import Bins, Difference, Told
from holdfast.proof.evidence.inside import lanes, spans
from holdfast.proof.evidence.statements import Counted, between, table
from holdfast.proof.report.model import Figure, LaneBatches, NotApplicable, Table

BEFORE = """\
holdfast_refusals_total{code="room_conflict"} 3.0
holdfast_refusals_total{code="not_found"} 1.0
holdfast_span_seconds_bucket{span="rules",le="0.001"} 10.0
holdfast_span_seconds_bucket{span="rules",le="0.05"} 10.0
holdfast_span_seconds_bucket{span="rules",le="+Inf"} 10.0
holdfast_span_seconds_count{span="rules"} 10.0
holdfast_span_seconds_sum{span="rules"} 0.005
process_start_time_seconds 7.0
"""
AFTER = """\
holdfast_refusals_total{code="room_conflict"} 8.0
holdfast_refusals_total{code="not_found"} 1.0
holdfast_span_seconds_bucket{span="rules",le="0.001"} 400.0
holdfast_span_seconds_bucket{span="rules",le="0.05"} 409.0
holdfast_span_seconds_bucket{span="rules",le="+Inf"} 410.0
holdfast_span_seconds_count{span="rules"} 410.0
holdfast_span_seconds_sum{span="rules"} 0.605
process_start_time_seconds 7.0
"""


def value(cell: object) -> float:
    assert isinstance(cell, Figure), cell
    return cell.value


def test_a_difference_is_of_what_came_in_between() -> None:
    counted = Difference(Told(BEFORE), Told(AFTER))
    assert counted.by("holdfast_refusals_total", "code") == {"room_conflict": 5.0}
    assert counted.sum("holdfast_refusals_total") == 5
    assert counted.sum("holdfast_refusals_total", code="not_found") == 0
    bins = counted.bins("holdfast_span_seconds", span="rules")
    assert (bins.bounds, bins.counts, bins.n) == ((0.001, 0.05), (390, 9, 1), 400)
    assert bins.sum == pytest.approx(0.6)
    assert Difference(None, Told(AFTER)).sum("holdfast_refusals_total") == 9
    assert counted.bins("holdfast_nothing") == Bins((), (), 0)


def test_a_percentile_is_told_by_the_bound_above_it() -> None:
    told = distribution(Bins((0.001, 0.05), (390, 9, 1), 0.6), "Nothing.")
    assert told.n == 400
    assert value(told.mean) == pytest.approx(1.5)
    assert value(told.p50) == value(told.p95) == 1.0
    assert isinstance(told.p99, NotApplicable), "400 samples do not carry it"
    assert isinstance(told.max, NotApplicable), "it lies above all bounds"
    assert [each.n for each in told.bins] == [390, 9, 1]
    later = distribution(Bins((0.001, 0.05), (378, 22, 0), 0.6), "Nothing.")
    assert (value(later.p95), value(later.max)) == (50.0, 50.0)


def test_of_nothing_there_is_a_reason() -> None:
    told = distribution(Bins((), (), 0), "Nobody asked for it.")
    assert told.n == 0
    assert told.mean == told.p95 == told.max == NotApplicable(reason="Nobody asked for it.")
    nothing = Difference(Told(AFTER), Told(AFTER))
    assert isinstance(lanes(nothing), NotApplicable)
    assert all(isinstance(each.share, NotApplicable) for each in spans(nothing))


ROAD = "".join(
    f'holdfast_span_seconds_bucket{{span="{span}",le="0.05"}} 40\n'
    f'holdfast_span_seconds_bucket{{span="{span}",le="+Inf"}} 40\n'
    f'holdfast_span_seconds_sum{{span="{span}"}} {seconds}\n'
    for span, seconds in (("decide", 0.4), ("write", 0.2), ("write_and_commit", 0.2))
) + """\
holdfast_span_seconds_bucket{span="rules",le="0.05"} 10
holdfast_span_seconds_bucket{span="rules",le="+Inf"} 10
holdfast_span_seconds_sum{span="rules"} 0.01
holdfast_lane_batch_requests_bucket{lane="changes",le="4"} 10
holdfast_lane_batch_requests_bucket{lane="changes",le="+Inf"} 10
holdfast_lane_batch_requests_sum{lane="changes"} 40
holdfast_request_seconds_count{method="POST",route="/api/v1/appointments"} 40
holdfast_request_seconds_sum{method="POST",route="/api/v1/appointments"} 1.6
holdfast_request_seconds_count{method="GET",route="/metrics"} 9
holdfast_request_seconds_sum{method="GET",route="/metrics"} 9.0
"""  # fmt: skip


def test_shares_are_of_the_road_without_those_who_watch() -> None:
    counted = Difference(None, Told(ROAD))
    found = {each.name: each for each in spans(counted)}
    assert value(found["decide"].share) == pytest.approx(25)
    assert value(found["write"].share) == pytest.approx(25), "with its commit or without"
    assert value(found["rest"].share) == pytest.approx(50)
    # A choice takes 1 ms, four of them are in a batch, and deciding a batch takes 10 ms.
    assert value(found["rules"].share) == pytest.approx(10)
    carried = lanes(counted)
    assert isinstance(carried, LaneBatches)
    assert (value(carried.mean), value(carried.max)) == (4, 4)


def test_statements_are_those_in_between_the_dearest_first() -> None:
    before = {1: Counted("-- Takes the turn.\nselect 1", 10, 5.0, 10), 2: Counted("select 2", 4, 4.0, 4)}
    after = {
        1: Counted("-- Takes the turn.\nselect 1", 30, 25.0, 30), 2: Counted("select 2", 4, 4.0, 4),
        3: Counted("select   3\n from x", 1, 60.0, 9),
    }  # fmt: skip
    found = between(before, after)
    assert found == {1: Counted("-- Takes the turn.\nselect 1", 20, 20.0, 20), 3: after[3]}
    told = table(found)
    assert isinstance(told, Table)
    assert [row[0] for row in told.rows] == ["select 3 from x", "Takes the turn."]
    assert [value(row[5]) for row in told.rows] == [75, 25]
    assert between({1: Counted("a", 9, 9.0, 9)}, {1: Counted("a", 2, 1.0, 2)}) == {1: Counted("a", 2, 1.0, 2)}
    assert isinstance(table(between(None, after)), NotApplicable)
