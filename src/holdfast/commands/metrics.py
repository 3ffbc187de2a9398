"""What this process counts about itself, in Prometheus' words. Labels are routes, methods, statuses: never an id, a
name or an address.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "holdfast_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "holdfast_request_seconds", "Time from a request's first byte to its answer.", ("method", "route"),
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._sign_ins_known = Gauge(
            "holdfast_tokens_known", "Access tokens remembered as verified.", registry=self.registry
        )
        self._connections = Gauge(
            "holdfast_pool_connections", "Pooled database connections.", ("state",), registry=self.registry
        )
        # labels() checks and hashes on every call; the few hundred pairs there are live here. Bounded: routes are.
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is the route's pattern, "" for a path that is none."""
        pair = self._known.get((method, route, status))
        if pair is None:
            method = method if route else ""  # a stranger's method is a stranger's text
            pair = (
                self._requests.labels(method, route, str(status)),
                self._seconds.labels(method, route),
            )
            if route:
                self._known[method, route, status] = pair
        pair[0].inc()
        pair[1].observe(seconds)

    def text(self, tokens_known: int, connections: int, connections_idle: int) -> bytes:
        """Everything, in the text format; what is only looked at now is given by the caller."""
        self._sign_ins_known.set(tokens_known)
        self._connections.labels("idle").set(connections_idle)
        self._connections.labels("busy").set(connections - connections_idle)
        return generate_latest(self.registry)
