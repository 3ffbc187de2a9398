"""What /metrics serves, made without a database: a sample of each metric and label as the product tells them."""

from functools import partial
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from holdfast.api.problems import STATUS
from holdfast.commands.database_figures import Figures
from holdfast.commands.metrics import Metrics, Now, Pool
from holdfast.commands.policy_cache import PolicyCache
from holdfast.commands.policy_faults import PolicyFaults
from holdfast.db.database import ACQUISITION_BOUNDS
from holdfast.db.lanes import Lanes
from holdfast.db.spread import Spread
from holdfast.settings import Settings

LANES = ("changes", "pages", "conflicts", "searches", "long_searches")


def samples() -> list[tuple[str, dict[str, str]]]:
    """Names and labels."""
    metrics = Metrics()
    PolicyFaults(metrics)
    metrics.may_refuse(STATUS)
    metrics.answered("GET", "/health/live", 200, 0.001)
    lanes: dict[str, Lanes[Any]] = {name: Lanes(Settings(), partial(_nobody, name)) for name in LANES}
    pool = Pool(0, 0, 0, 0, 0, 0, Spread(ACQUISITION_BOUNDS))
    now = Now(0, pool, 0, PolicyCache(), lanes, database_is_up=True, database=Figures(0, 0, 0, 0, 0))
    return [
        (sample.name, dict(sample.labels))
        for family in text_string_to_metric_families(metrics.text(now).decode())
        for sample in family.samples
    ]


def _nobody(*_arguments: object) -> Any:
    raise AssertionError("nothing is carried here")
