"""Which call a path is: a tree of segments, `{name}` standing for any one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.api.door import Route


@dataclass(slots=True)
class _Node:
    literal: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    name: str = ""
    routes: dict[str, "Route[Any, Any]"] = field(default_factory=dict)


class Router:
    def __init__(self, routes: Iterable["Route[Any, Any]"]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    def _add(self, route: "Route[Any, Any]") -> None:
        node = self._root
        for segment in route.path.strip("/").split("/"):
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node(name=segment[1:-1])
                if node.parameter.name != segment[1:-1]:
                    raise ValueError(f"{route.path}: the parameter is called {node.parameter.name} elsewhere")
                node = node.parameter
            else:
                node = node.literal.setdefault(segment, _Node())
        if route.method in node.routes:
            raise ValueError(f"{route.method} {route.path} is there twice")
        node.routes[route.method] = route

    def find(self, path: str) -> tuple[Mapping[str, "Route[Any, Any]"], dict[str, str]]:
        """The routes at a path by method (empty: no such path), and the path's parameters."""
        node, parameters = self._root, {}
        for segment in path.strip("/").split("/"):
            child = node.literal.get(segment)
            if child is None:
                child = node.parameter
                if child is None or not segment:
                    return {}, {}
                parameters[child.name] = segment
            node = child
        return node.routes, parameters
