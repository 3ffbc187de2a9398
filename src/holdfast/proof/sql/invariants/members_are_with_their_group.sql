-- Every visit of a group that is still to come or under way is where its group is, when its group is (it may have been
-- completed before the end and reopened), of the same practitioner and service; a cancelled group has none; and no group has more members than it may, nor another number of seats.
select g.id as group_id, a.id as appointment_id, a.status
from groups g
join blocks b on b.organization_id = g.organization_id and b.id = g.id
join appointments a on a.organization_id = g.organization_id and a.group_id = g.id
left join appointment_lines l on l.organization_id = a.organization_id and l.appointment_id = a.id and l.line_no = 1
where g.organization_id = $1 and a.status in ('scheduled', 'confirmed', 'checked_in', 'in_progress')
  and (b.deleted_at is not null
    or (a.clinic_id, a.location, a.starts_at, l.starts_at, l.practitioner_id, l.service_id)
      is distinct from (g.clinic_id, g.location, b.starts_at, b.starts_at, g.practitioner_id, g.service_id)
    or a.ends_at > b.ends_at or l.ends_at > a.ends_at
    or a.room_id is distinct from b.room_id)
union all
select g.id, null, 'members: ' || m.members || ', seats: ' || m.seats || ', most: ' || g.members_max
from groups g
cross join lateral (
  select (
      select count(*) from appointments a
      where a.organization_id = $1 and a.group_id = g.id and a.status not in ('cancelled', 'no_show')) as members, (
      select count(*) from resource_seats s where s.organization_id = $1 and s.resource_id = g.id) as seats) m
where g.organization_id = $1 and (m.members > g.members_max or m.seats <> g.members_max)
