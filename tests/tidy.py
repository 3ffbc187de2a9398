"""The shape of the source as functions from text to faults. Each yields one sentence per fault, with its line.

Nothing here reads the tree: tests/shape runs every law over the project, and over a fault planted for it.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500

Law = Callable[[str, str], Iterator[str]]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def long_file(path: str, text: str) -> Iterator[str]:
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield f"{path}: {lines} lines, {FILE_LINES_MAX} at most"


def long_function(path: str, text: str) -> Iterator[str]:
    """Counts from the line of its name to its last, in Python and in SQL."""
    found = _sql_functions(text) if path.endswith(".sql") else _python_functions(text)
    for line, name, lines in found:
        if lines > FUNCTION_LINES_MAX:
            yield f"{path}:{line}: {name} has {lines} lines, {FUNCTION_LINES_MAX} at most"


def _python_functions(text: str) -> Iterator[tuple[int, str, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _FUNCTIONS):
            yield node.lineno, node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def _sql_functions(text: str) -> Iterator[tuple[int, str, int]]:
    pattern = r"^create (?:or replace )?(?:function|procedure) (\w+).*?^\$\$;"
    for match in re.finditer(pattern, text, re.DOTALL | re.MULTILINE | re.IGNORECASE):
        yield text[: match.start()].count("\n") + 1, match[1], match[0].count("\n") + 1


_STATEMENT = re.compile(
    r"""\s*(
        select\s+\S | insert\s+into\s | update\s+\w+\s+(\w+\s+)?set\s | delete\s+from\s | merge\s+into\s
        | with\s+(recursive\s+)?\w+\s+as\s | values\s*\( | truncate\s | copy\s+\w+\s+(from|to)\s
        | (create|drop)\s+(or\s+replace\s+)?(unique\s+)?
          (table|index|function|role|user|database|schema|policy|view|type|extension|trigger|sequence)\b
        | alter\s+(table|index|function|schema|policy|view|type|sequence)\b
        | grant\s+\w+\s+(on|to)\s | revoke\s+\w+\s+(on|from)\s | lock\s+table\s | (un)?listen\s+\w+\s*$
        | notify\s+\w+ | set\s+(local|session|role)\s | reset\s+(all|role)\b | show\s+\w+\s*$
        | (begin|commit|rollback|vacuum|analyze)\s*;?\s*$ | begin\s+(transaction|isolation|read)\b
        | savepoint\s | rollback\s+to\s | set_config\(
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_EXECUTORS = frozenset({"execute", "executemany", "fetch", "fetchrow", "fetchval", "cursor", "prepare"})


def sql_in_python(path: str, text: str) -> Iterator[str]:
    """A string that begins like a statement, or any literal handed to the driver. Docstrings are prose, and
    `alter role`, `alter system` are what doctor tells a person to type."""
    tree = ast.parse(text)
    prose = {id(node) for node in _docstrings(tree)}
    # `statement("commit")` names a file of sql/queries.
    prose |= {
        id(node) for call in _calls(tree, "statement", "filled", "begin", "transaction") for node in call.args
    }
    handed = {id(call.args[0]) for call in _calls(tree, *_EXECUTORS) if call.args}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and id(node) in handed:
            yield f"{path}:{node.lineno}: a string made here goes to the database"
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in prose:
            continue
        if id(node) in handed or _STATEMENT.match(node.value):
            yield f"{path}:{node.lineno}: SQL in Python: {node.value.strip()[:40]!r}"


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Strings that stand alone as statements: docstrings and notes under a field."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in names:
                yield node


_IMPURE = frozenset({
    "asyncio", "asyncpg", "httpx2", "io", "logging", "os", "pathlib", "random", "secrets", "socket", "sqlite3",
    "starlette", "structlog", "subprocess", "threading", "time", "uuid", "uuid_utils", "uvicorn",
})  # fmt: skip
_CLOCKS = frozenset({"now", "today", "utcnow", "time", "monotonic", "perf_counter", "time_ns"})


def impure_rule(path: str, text: str) -> Iterator[str]:
    """`rules/` decides on its arguments alone: no waiting, no clock, no chance, no input or output."""
    for node in ast.walk(ast.parse(text)):
        line = f"{path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)):
            yield f"{line}: a rule does not wait"
        for name in _imported(node):
            if name.split(".")[0] in _IMPURE or name.startswith(("holdfast.db", "holdfast.settings")):
                yield f"{line}: a rule does not import {name}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CLOCKS:
            yield f"{line}: a rule has no clock ({node.func.attr})"
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"open", "print", "input"}:
            yield f"{line}: a rule reads and writes nothing"


def _imported(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)
_MAKERS = frozenset({
    "list", "dict", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict", "ChainMap", "count",
    "WeakKeyDictionary", "WeakValueDictionary", "WeakSet", "Queue", "Lock", "Event", "Semaphore", "ContextVar",
    "TTLCache", "LRUCache", "SimpleNamespace", "iter",
})  # fmt: skip

_READ_ONLY = re.compile(r"^(Final\[)?(Mapping|Sequence|AbstractSet|Collection)\[")


def mutable_module_state(path: str, text: str) -> Iterator[str]:
    """Two tests, two servers or two requests must not meet in a module: what lives at module level cannot change.

    A table is a tuple, a frozenset, a MappingProxyType, or a literal whose declared type nobody can write to
    (mypy holds that). `app.py` wires the one process that there is.
    """
    tree = ast.parse(text)
    for statement in _at_import(tree.body):
        value = getattr(statement, "value", None)
        if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)) or _names(statement) == [
            "__all__"
        ]:
            continue
        made = value.func if isinstance(value, ast.Call) else None
        maker = made.attr if isinstance(made, ast.Attribute) else getattr(made, "id", "")
        declared = ast.unparse(statement.annotation) if isinstance(statement, ast.AnnAssign) else ""
        if isinstance(value, _MUTABLE) and _READ_ONLY.search(declared):
            continue
        if isinstance(value, _MUTABLE) or maker in _MAKERS:
            yield f"{path}:{statement.lineno}: {', '.join(_names(statement))} can be changed by anyone"
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield f"{path}:{node.lineno}: global {', '.join(node.names)}"


def _at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, (ast.If, ast.Try, ast.With)):
            yield from _at_import([*statement.body, *getattr(statement, "orelse", [])])
        else:
            yield statement


def _names(statement: ast.stmt) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [ast.unparse(target) for target in targets if target is not None]


def no_docstring(path: str, text: str) -> Iterator[str]:
    """A module opens with what it is for and what it may not do; an empty `__init__` has nothing to say."""
    if text.strip() and not (ast.get_docstring(ast.parse(text)) or "").strip():
        yield f"{path}: says nowhere what it is for"


# Spelled in halves, so that this file obeys its own law.
_UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
_MACHINE = re.compile(
    r"(/wo" + r"rk/|/ro" + r"ot/|/ho" + r"me/[a-z]+/|/opt/wh" + r"eels|\.py" + r"env|pypi\." + r"org"
    r"|python" + r"hosted|npm" + r"js\.|deb\." + r"debian|file:" + r"//)"
)


def unfinished(path: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := _UNFINISHED.search(line):
            yield f"{path}:{number}: {found[0]}"


def machine_name(path: str, text: str) -> Iterator[str]:
    """A file that names one machine's folder or a registry's host works only there."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _MACHINE.search(line):
            yield f"{path}:{number}: {found[0]}"


_KEYWORD = re.compile(
    r"\b(SELECT|FROM|WHERE|INSERT|INTO|UPDATE|DELETE|JOIN|CREATE|TABLE|RETURNS|BEGIN|VALUES|AND|ORDER BY)\b"
)


def untidy_sql(path: str, text: str) -> Iterator[str]:
    """Opens with what it is for; keywords in lower case."""
    if not text.startswith("-- "):
        yield f"{path}: says nowhere what it is for"
    for number, line in enumerate(text.splitlines(), 1):
        bare = re.sub(r"'[^']*'|\"[^\"]*\"|--.*", "", line)
        if found := _KEYWORD.search(bare):
            yield f"{path}:{number}: {found[0]} in capitals"


def without_organization(path: str, text: str, tenant_tables: Iterable[str]) -> Iterator[str]:
    """Every statement on a tenant table names the organization, a join once per table (scale.md, rule 2).

    Counts the places where a tenant table is read or written against those where the organization is named.
    """
    for statement in re.sub(r"--.*", "", text).split(";"):
        tables = re.findall(r"\b(?:from|join|into|update|using)\s+([a-z_]+)", statement)
        tenants = [table for table in tables if table in set(tenant_tables)]
        named = len(re.findall(r"\borganization_id\b|\borganization\b", statement))
        if len(tenants) > named:
            yield f"{path}: {', '.join(tenants)} without its organization"


def unused_settings(names: Iterable[str], texts: Iterable[str]) -> Iterator[str]:
    """A setting that nothing reads promises something that does not happen."""
    read = {
        node.attr
        for text in texts
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    for name in names:
        if name not in read:
            yield f"settings.py: nothing reads {name}"
