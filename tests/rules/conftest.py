"""The laws of the pure parts: as many random cases as a change may take, and on failure the words to repeat one."""

from hypothesis import HealthCheck, settings
from sizes import size

settings.register_profile(
    "ci",
    max_examples=size(60, 600),
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
)
settings.load_profile("ci")
