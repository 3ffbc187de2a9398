-- An instant as the API writes it: RFC 3339 in UTC, whole seconds. Null stays null.
create or replace function as_instant(moment timestamptz)
returns text
language sql immutable
return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
