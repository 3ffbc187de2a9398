-- Every claim belongs to one thing, says so, lies where that thing lies, and names a seat that the resource has.
select c.resource_id, c.seat, c.kind, c.starts_at, c.ends_at
from claims c
left join closures x on x.organization_id = c.organization_id and x.id = c.closure_id
left join time_off t on t.organization_id = c.organization_id and t.id = c.time_off_id
left join blocks b on b.organization_id = c.organization_id and b.id = c.block_id and b.deleted_at is null
left join rooms r on r.organization_id = c.organization_id and r.id = c.resource_id
left join resource_seats s
  on s.organization_id = c.organization_id and s.resource_id = c.resource_id and s.seat = c.seat
where c.organization_id = $1
  and not coalesce(
    num_nonnulls(c.appointment_id, c.hold_id, c.block_id, c.closure_id, c.time_off_id) = 1
    and s.resource_id is not null
    and c.during = tstzrange(c.starts_at, c.ends_at, '[)')
    and (c.kind = 'hold') = (c.expires_at is not null)
    and case c.kind
      when 'visit' then c.appointment_id is not null
      when 'turnover' then c.appointment_id is not null and r.id is not null
      when 'hold' then c.hold_id is not null
      when 'group' then b.kind = 'group'
      when 'group_turnover' then b.kind = 'group' and r.id is not null
      when 'block' then b.kind <> 'group' and b.starts_at = c.starts_at and b.ends_at = c.ends_at
        and (b.room_id = c.resource_id or exists (
          select from block_attendees n
          where n.organization_id = c.organization_id and n.block_id = b.id and n.practitioner_id = c.resource_id))
      when 'closure' then x.starts_at <= c.starts_at and c.ends_at <= x.ends_at
        and x.clinic_id = r.clinic_id and coalesce(x.room_id, r.id) = r.id
      when 'time_off' then t.starts_at <= c.starts_at and c.ends_at <= t.ends_at
        and t.practitioner_id = c.resource_id
    end, false)
