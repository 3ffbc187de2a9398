-- The groups of a clinic that touch a span and are not cancelled, as events tell of them, by start.
create or replace function block_groups_of_clinic(
  organization uuid, clinic uuid, span_start timestamptz, span_end timestamptz)
returns json
language sql stable
as $$
  select coalesce(json_agg(g.document order by g.document ->> 'start', g.id), '[]')
  from block_groups(organization, array(
    select f.id from block_groups_in_span(organization, span_start, span_end, clinic, null, false) f)) g
$$;
