"""The schema with every tenant table hash-partitioned by organization, made from the same files (scale.md, rule 8).

PostgreSQL itself then enforces that the organization is in every key. Partitions lie in a schema of their own,
where the service role cannot reach them past the policies of their parents, and their keys carry the parent's
name with a suffix, as on the shards of a cluster.
"""

import os
import re
import shutil
from pathlib import Path

from holdfast.db.migrate import SQL_ROOT

PARTITIONS = 4
SCHEMA = "holdfast_partitions"

_TABLE = re.compile(
    r"^create table (?P<name>\w+) (?P<columns>\(\n.*?^\))(?P<storage> with \([^;]*\))?;$",
    re.DOTALL | re.MULTILINE,
)

# Unique and exclusion constraints of a partition get invented names; an operator who partitions renames them.
_RENAME = f"""
do $$
declare
  k record;
begin
  for k in
    select c.conrelid::regclass as partition, c.conname as name,
           p.conname || substring(r.relname from '_p[0-9]+$') as wanted
    from pg_constraint c
    join pg_constraint p on p.oid = c.conparentid
    join pg_class r on r.oid = c.conrelid
    where r.relnamespace = '{SCHEMA}'::regnamespace and c.contype in ('p', 'u', 'x')
      and c.conname <> p.conname || substring(r.relname from '_p[0-9]+$')
  loop
    execute format('alter table %s rename constraint %I to %I', k.partition, k.name, k.wanted);
  end loop;
end
$$;
"""


def wanted() -> bool:
    return os.environ.get("HOLDFAST_TEST_PARTITIONED") == "1"


def partitioned_schema(sql_text: str) -> str:
    """The file's tables as partitioned ones. Storage settings go to the partitions: a parent has no pages."""
    changed = _TABLE.sub(_partition, sql_text)
    if changed == sql_text:
        return sql_text
    return f"create schema if not exists {SCHEMA};\n{changed}{_RENAME}"


def _partition(table: re.Match[str]) -> str:
    name, columns, storage = table["name"], table["columns"], table["storage"] or ""
    if name == "login_directory" or not re.search(
        r"^\s+organization_id uuid not null", columns, re.MULTILINE
    ):
        return table[0]
    parts = [f"create table {name} {columns} partition by hash (organization_id);"]
    parts += [
        f"create table {SCHEMA}.{name}_p{number} partition of {name} "
        f"for values with (modulus {PARTITIONS}, remainder {number}){storage};"
        for number in range(PARTITIONS)
    ]
    return "\n".join(parts)


def partitioned_root(into: Path) -> Path:
    """A copy of the product's `sql/` with partitioned tables, for `migrate(root=...)`."""
    root = into / "sql_partitioned"
    if not root.exists():
        building = into / f".sql_partitioned_{os.getpid()}"
        shutil.copytree(SQL_ROOT, building)
        for file in (building / "tables").glob("*.sql"):
            file.write_text(partitioned_schema(file.read_text(encoding="utf-8")), encoding="utf-8")
        building.rename(root)
    return root
