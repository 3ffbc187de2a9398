-- Turns the staged visits of one organization into what booking each of them, and what followed, would have left:
-- visits, lines, claims, units, events, audit and one batch, set by set, under the same constraints. The caller holds
-- the turn. Events come in the order of the visits; of one visit, units before the visit itself, as the lanes tell them.
create temporary table bulk_events on commit drop as
select row_number() over (order by v.n, s.step) as k, s.kind, s.entry, v.*
from bulk_visits v
cross join lateral (values
  (1, 'authorization.changed', 'reserve', v.units > 0),
  (2, 'appointment.booked', null, true),
  (3, 'authorization.changed', 'release', v.units > 0 and v.status in ('cancelled', 'no_show')),
  (4, 'appointment.' || v.status, null, v.status <> 'scheduled')) s(step, kind, entry, happens)
where s.happens;

create temporary table bulk_entries on commit drop as
select e.k, e.id as appointment_id, e.authorization_id, e.entry, e.units, z.patient_id, z.total_units, z.used_units,
       z.manual_units, z.version + row_number() over w as version,
       z.scheduled_units + sum(case e.entry when 'reserve' then e.units else -e.units end) over w as scheduled_units
from bulk_events e
join authorizations z on z.organization_id = {organization}::uuid and z.id = e.authorization_id
where e.entry is not null
window w as (partition by e.authorization_id order by e.k);
analyze bulk_visits, bulk_events, bulk_entries;

insert into appointments (
  organization_id, id, clinic_id, patient_id, room_id, location, starts_at, ends_at, status, turnover_minutes,
  assignment_method, score, cancelled_by, cancel_reason_code, cancelled_at, notice_minutes, cancelled_late,
  completed_at, created_by, version, created_at, updated_at)
select {organization}::uuid, v.id, v.clinic_id, v.patient_id, v.room_id, 'on_site', v.starts_at, v.ends_at, v.status,
       v.turnover_minutes, 'auto', 100, case when v.status = 'cancelled' then 'patient' end,
       case when v.status = 'cancelled' then 'illness' end,
       case when v.status = 'cancelled' then least(v.starts_at - interval '2 days', {decided_at}::timestamptz) end,
       case when v.status = 'cancelled' then
         date_part('epoch', v.starts_at - least(v.starts_at - interval '2 days', {decided_at}::timestamptz))::integer / 60 end,
       case when v.status = 'cancelled' then false end, case when v.status = 'completed' then v.ends_at end,
       {admin}::uuid, case when v.status = 'scheduled' then 1 else 2 end, {decided_at}::timestamptz, {decided_at}::timestamptz
from bulk_visits v
order by v.n;

insert into appointment_lines (
  organization_id, appointment_id, line_no, practitioner_id, service_id, starts_at, ends_at, authorization_id,
  units_reserved, minutes_actual, buffer_minutes, line_status)
select {organization}::uuid, v.id, 1, v.practitioner_id, v.service_id, v.starts_at, v.ends_at, v.authorization_id,
       case when v.status in ('cancelled', 'no_show') then 0 else v.units end,
       case when v.status = 'completed' then date_part('epoch', v.ends_at - v.starts_at)::integer / 60 end,
       v.buffer_minutes, case when v.status = 'completed' then 'completed' else 'planned' end
from bulk_visits v
order by v.n;

insert into claims (organization_id, resource_id, seat, starts_at, ends_at, kind, appointment_id)
select {organization}::uuid, c.resource_id, 0, c.starts_at, c.ends_at, c.kind, v.id
from bulk_visits v
cross join lateral (values
  (v.patient_id, v.starts_at, v.ends_at, 'visit'),
  (v.practitioner_id, v.starts_at, v.ends_at + make_interval(mins => v.buffer_minutes), 'visit'),
  (v.room_id, v.starts_at, v.ends_at, 'visit'),
  (v.room_id, v.ends_at, v.ends_at + make_interval(mins => v.turnover_minutes), 'turnover')
) c(resource_id, starts_at, ends_at, kind)
where v.status not in ('cancelled', 'no_show') and c.starts_at < c.ends_at
order by v.n;

update authorizations z
set version = b.version, scheduled_units = b.scheduled_units, updated_at = {decided_at}::timestamptz
from (select distinct on (e.authorization_id) e.* from bulk_entries e order by e.authorization_id, e.k desc) b
where z.organization_id = {organization}::uuid and z.id = b.authorization_id;

insert into authorization_entries (
  organization_id, authorization_id, entry_no, kind, units, appointment_id, line_no, seq, actor_id, created_at)
select {organization}::uuid, e.authorization_id, e.version, e.entry, e.units, e.appointment_id, 1,
       {seq_before}::bigint + e.k, {admin}::uuid, {decided_at}::timestamptz
from bulk_entries e
order by e.k;

insert into unit_counts (organization_id, patient_id, on_date, payer_id, code, units)
select {organization}::uuid, v.patient_id, (v.starts_at at time zone c.time_zone)::date, z.payer_id, s.code, sum(v.units)
from bulk_visits v
join clinics c on c.organization_id = {organization}::uuid and c.id = v.clinic_id
join services s on s.organization_id = {organization}::uuid and s.id = v.service_id
join authorizations z on z.organization_id = {organization}::uuid and z.id = v.authorization_id
where v.units > 0 and v.status not in ('cancelled', 'no_show')
group by 2, 3, 4, 5
on conflict (organization_id, patient_id, on_date, payer_id, code) do update
set units = unit_counts.units + excluded.units;

insert into events (organization_id, seq, kind, body, created_at)
select {organization}::uuid, {seq_before}::bigint + e.k, e.kind, case when e.entry is not null then
  json_build_object(
    'id', u.authorization_id, 'patient_id', u.patient_id, 'total_units', u.total_units, 'used_units', u.used_units,
    'scheduled_units', u.scheduled_units, 'manual_units', u.manual_units, 'version', u.version)
  else json_build_object(
    'id', e.id, 'clinic_id', e.clinic_id, 'patient_id', e.patient_id, 'room_id', e.room_id, 'location', 'on_site',
    'start', as_instant(e.starts_at), 'end', as_instant(e.ends_at), 'status', x.status, 'needs_action', null,
    'pinned', false, 'turnover_minutes', e.turnover_minutes, 'units_reserved', x.units,
    'assignment', '{"method": "auto", "policy_version": 0, "score": 100, "rules_applied": []}'::json,
    'version', x.version, 'lines', json_build_array(json_build_object(
      'line_no', 1, 'practitioner_id', e.practitioner_id, 'service_id', e.service_id,
      'start', as_instant(e.starts_at), 'end', as_instant(e.ends_at), 'patient_present', true,
      'authorization_id', e.authorization_id, 'billable', true, 'units_reserved', x.units, 'unfunded_units', 0,
      'minutes_actual', case when x.status = 'completed' then
        date_part('epoch', e.ends_at - e.starts_at)::integer / 60 end,
      'travel_before_minutes', 0, 'buffer_minutes', e.buffer_minutes,
      'line_status', case when x.status = 'completed' then 'completed' else 'planned' end, 'caregiver_id', null,
      'units_used', null, 'funding', null)),
    'created_at', as_instant({decided_at}::timestamptz), 'updated_at', as_instant({decided_at}::timestamptz)) end,
  {decided_at}::timestamptz
from bulk_events e
left join bulk_entries u on u.k = e.k
cross join lateral (
  select case when e.kind = 'appointment.booked' then 'scheduled' else e.status end as status,
         case when e.kind = 'appointment.booked' then 1 else 2 end as version,
         case when e.kind <> 'appointment.booked' and e.status in ('cancelled', 'no_show') then 0 else e.units end
           as units) x
order by e.k;

insert into audit (
  organization_id, batch_no, position, actor_id, action, subject, subject_id, detail, request_id, created_at)
select {organization}::uuid, t.batch_count + 1, row_number() over (order by e.k), {admin}::uuid,
       split_part(e.kind, '.', 2), 'appointment', e.id,
       jsonb_build_object('version', case when e.kind = 'appointment.booked' then 1 else 2 end), 'seed-bulk',
       {decided_at}::timestamptz
from bulk_events e
join turns t on t.organization_id = {organization}::uuid
where e.entry is null
order by e.k;

insert into batches (organization_id, batch_no, id, seq_after, hash, committed_at)
select {organization}::uuid, t.batch_count + 1, {batch}::uuid, t.seq + (select count(*) from bulk_events),
       audit_link(t.organization_id, t.batch_count + 1, t.audit_hash), {decided_at}::timestamptz
from turns t
where t.organization_id = {organization}::uuid;

update turns t
set seq = b.seq_after, batch_count = b.batch_no, audit_hash = b.hash
from batches b
where t.organization_id = {organization}::uuid and b.organization_id = {organization}::uuid and b.id = {batch}::uuid
