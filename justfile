# Every command of the project; `just` alone lists them.

[private]
default:
    @{{ just_executable() }} --list --unsorted

# Run the server with demo data on the embedded engine
dev *flags:
    uv run holdfast demo {{ flags }}

# Seconds: shape, types, rules; no database
fast:
    uv run pytest tests/shape tests/rules --ignore tests/shape/test_catalog.py --ignore tests/shape/test_constraints.py

# Everything that CI runs
check:
    bash .ci/run

# Make the code look as the formatter wants it
format:
    uv run ruff check --fix
    uv run ruff format

# Show that it cannot double-book: scenarios, races and invariants against a running engine
proof *flags:
    uv run holdfast prove {{ flags }}

# Measure, as ratios from one run with full durability
bench *flags:
    uv run holdfast bench {{ flags }}

# Measure what growth costs: ten million visits against 100,000 and none (half an hour, 68 GB of disk)
bench-large *flags:
    uv run holdfast bench --large {{ flags }}

# Fill a database: just seed --profile small --seed 1
seed *flags:
    uv run holdfast seed {{ flags }}

# Open psql on the database that the settings name (or give a URL); needs psql on the path
psql url=env("HOLDFAST_DATABASE_URL", ""):
    psql "{{ url }}"

# Pin every package again, from one resolution; --upgrade takes the newest
lock *flags:
    uv run python scripts/lock.py {{ flags }}

# What is too long for every change: absolute limits, large sizes, the long proof
nightly:
    uv run pytest -m performance -n 0
    HOLDFAST_TEST_SIZES=full uv run pytest
    HOLDFAST_TEST_ROUNDS=1000 uv run pytest tests/laws/test_ledger.py -n 2
    uv run holdfast bench
    uv run holdfast prove --profile full
