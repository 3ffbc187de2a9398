-- The blocks that touch [span_start, span_end), by whom, where, of which kind and series as far as these are given. A block
-- is of a clinic if its room is there or one of its attendees works there. It is at most 24 hours long, so one that
-- reaches into the span began less than that before it.
create or replace function blocks_in_span(
  organization uuid, span_start timestamptz, span_end timestamptz, clinic uuid, practitioner uuid, room uuid,
  block_kind text, series uuid)
returns table (id uuid, starts_at timestamptz)
language sql stable
as $$
  select b.id, b.starts_at
  from blocks b
  where b.organization_id = organization and b.deleted_at is null and b.kind <> 'group'
    and b.starts_at > span_start - interval '24 hours' and b.starts_at < span_end and b.ends_at > span_start
    and (room is null or b.room_id = room)
    and (block_kind is null or b.kind = block_kind)
    and (series is null or b.series_id = series)
    and (practitioner is null or exists (
      select from block_attendees a
      where a.organization_id = organization and a.block_id = b.id and a.practitioner_id = practitioner))
    and (clinic is null
      or exists (
        select from rooms r where r.organization_id = organization and r.id = b.room_id and r.clinic_id = clinic)
      or exists (
        select from block_attendees a
        join practitioner_clinics p
          on p.organization_id = organization and p.practitioner_id = a.practitioner_id and p.clinic_id = clinic
        where a.organization_id = organization and a.block_id = b.id))
$$;
