-- The lowest id (UUIDv7) that can have been made at an instant.
create or replace function first_id(at timestamptz)
returns uuid
language sql immutable strict
as $$
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
