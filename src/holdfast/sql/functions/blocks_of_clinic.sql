-- What calendar() tells of a clinic's blocks, in order of start.
create or replace function blocks_of_clinic(
  organization uuid, clinic uuid, span_start timestamptz, span_end timestamptz)
returns json
language sql stable
as $$
  select coalesce(json_agg(d.document order by f.starts_at, f.id), '[]')
  from blocks_in_span(organization, span_start, span_end, clinic, null, null, null, null) f
  cross join lateral (select d.document from block_documents(organization) d where d.id = f.id) d
$$;
