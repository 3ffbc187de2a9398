-- The groups that touch [span_start, span_end), by clinic and practitioner as far as these are given. A group is at most
-- 24 hours long, so one that reaches into the span began less than that before it.
create or replace function block_groups_in_span(
  organization uuid, span_start timestamptz, span_end timestamptz, clinic uuid, practitioner uuid, with_cancelled boolean)
returns table (id uuid, starts_at timestamptz)
language sql stable
as $$
  select b.id, b.starts_at
  from blocks b
  join groups g on g.organization_id = organization and g.id = b.id
  where b.organization_id = organization and b.kind = 'group'
    and b.starts_at > span_start - interval '24 hours' and b.starts_at < span_end and b.ends_at > span_start
    and (b.deleted_at is null or with_cancelled)
    and (clinic is null or g.clinic_id = clinic)
    and (practitioner is null or g.practitioner_id = practitioner)
$$;
