"""Rules that could not be judged: said once each in the log and counted. What a rule is called stays out of the log, since a
name may tell of a patient; whoever may read the policies sees it at `/policies/active`."""

import structlog
from prometheus_client import Counter

from holdfast.commands.metrics import Metrics
from holdfast.rules.facts import Directory
from holdfast.rules.policy.policy import in_force

_log = structlog.get_logger("holdfast.rules")
_REMEMBERED_MAX = 10_000


class PolicyFaults:
    def __init__(self, metrics: Metrics) -> None:
        self._count = Counter(
            "holdfast_rule_faults",
            "Rules that could not be judged, and so refused or said nothing.",
            registry=metrics.registry,
        )
        self._said: set[tuple[str, int, str]] = set()

    def report(self, directory: Directory) -> None:
        """Says what is new among the faults of the policy in force."""
        policy = in_force(directory)
        if not policy.faults:  # nearly always
            return
        if len(self._said) > _REMEMBERED_MAX:
            self._said.clear()
        for name, fault in policy.faults.items():
            key = (directory.organization.id, policy.version, name)
            if key not in self._said:
                self._said.add(key)
                self._count.inc()
                _log.error(
                    "rule_failed",
                    organization_id=directory.organization.id,
                    policy_version=policy.version,
                    kind=fault.why.partition(":")[0],
                )
