"""The page at /docs: Swagger UI from its package, started by a file of our own. Serves named files only."""

from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from holdfast.api.problems import Problem

Json = dict[str, Any]

# Swagger UI sets styles on its elements; scripts come from our own files alone, and nobody may frame the page.
HEADERS: Final = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
)

PAGE: Final = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast: try the calls</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png" sizes="32x32">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

_START = b"""SwaggerUIBundle({
  url: "/docs/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null
});
"""

_FILES: Final = MappingProxyType(
    {
        "swagger-ui.css": "text/css; charset=utf-8",
        "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
        "favicon-32x32.png": "image/png",
    }
)


def file(name: str) -> tuple[bytes, str]:
    """A file of the page and its media type. Raises Problem (404) for any other name."""
    if name == "start.js":
        return _START, _FILES["swagger-ui-bundle.js"]
    if name not in _FILES:
        raise Problem("not_found", "There is no such file.")
    return _read(name), _FILES[name]


@lru_cache(maxsize=len(_FILES))
def _read(name: str) -> bytes:
    vendor = files("swagger_ui_bundle") / "vendor"
    (version,) = (entry for entry in vendor.iterdir() if entry.name.startswith("swagger-ui-"))
    return (version / name).read_bytes()


def readable(document: Json) -> Json:
    """The description as the packaged viewer can read it: it stops at OpenAPI 3.0, which spells a few things
    differently. `/openapi.json` is the truth."""
    simpler: Json = _simpler(document)
    simpler["openapi"] = "3.0.3"
    simpler["info"].get("license", {}).pop("identifier", None)
    return simpler


def _simpler(value: Any) -> Any:
    if isinstance(value, list):
        return [_simpler(one) for one in value]
    if not isinstance(value, dict):
        return value
    fields = {name: _simpler(one) for name, one in value.items()}
    kinds = fields.get("anyOf")
    if isinstance(kinds, list) and {"type": "null"} in kinds:
        rest = [one for one in kinds if one != {"type": "null"}]
        del fields["anyOf"]
        fields |= {"nullable": True} | (
            rest[0] if len(rest) == 1 and "$ref" not in rest[0] else {"anyOf": rest}
        )
    if isinstance(fields.get("examples"), list):
        fields["example"] = fields.pop("examples")[0]
    if "const" in fields:
        fields["enum"] = [fields.pop("const")]
    for bound, name in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(fields.get(bound), int | float) and not isinstance(fields[bound], bool):
            fields[name], fields[bound] = fields[bound], True
    return fields
