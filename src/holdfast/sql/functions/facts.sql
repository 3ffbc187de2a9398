-- What a batch is decided on, in one snapshot: the organization's seq, the named appointments, patients,
-- authorizations and answers, and every claim that touches the asked spans. Instants are epoch seconds, UTC.
-- Claims are found by starts_at alone: no claim is longer than 26 hours, so one that reaches into a span began
-- less than that before it. Their order is nobody's wish: while the table is new all indexes look alike to the planner,
-- and the order, which only the primary key has, keeps it from the exclusion's, which reads all claims of a resource.
create or replace function facts(
  organization uuid, appointment_ids uuid[], patient_ids uuid[], authorization_ids uuid[], hold_ids uuid[],
  contact_ids uuid[], key_users uuid[], key_names text[], count_patients uuid[], count_first date[], count_last date[],
  span_resources uuid[], span_starts bigint[], span_ends bigint[])
returns text
language sql stable
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select json_build_object(
    'seq', t.seq, 'directory_seq', t.directory_seq, 'now', floor(date_part('epoch', now()))::bigint,
    'appointments', (
      select json_agg(a.document) from unnest(appointment_ids) w(id)
      cross join lateral (select appointment_document(organization, w.id) as document) a
      where a.document is not null),
    'patients', (
      select json_agg(json_build_array(
        p.id, p.given_name, p.family_name, p.needs, p.is_active, p.language, p.needs_interpreter,
        p.alerts_encrypted is not null, p.booking_constraints, case when t.asks_history then appointments_past(organization, p.id) else '[]' end))
      from patients p where p.organization_id = organization and p.id = any(patient_ids)),
    'authorizations', (
      select json_agg(json_build_array(
        z.id, z.patient_id, z.payer_id, z.service_codes, z.unit_basis, z.total_units, z.used_units, z.scheduled_units,
        z.manual_units, z.start_date, z.end_date, z.approval, z.version,
        date_part('epoch', z.created_at)::bigint, z.authorization_number, z.caps))
      from (
        select p.* from unnest(patient_ids) w(id)
        cross join lateral (
          select z.* from authorizations z
          where z.organization_id = organization and z.patient_id = w.id
          order by z.end_date desc limit 200) p
        union
        select n.*
        from (
          select unnest(authorization_ids) as id
          union
          select l.authorization_id from unnest(appointment_ids) v(id)
          cross join lateral (
            select l.* from appointment_lines l
            where l.organization_id = organization and l.appointment_id = v.id offset 0) l) w
        cross join lateral (
          select z.* from authorizations z
          where z.organization_id = organization and z.id = w.id limit 1) n) z),
    'counts', counts_of(organization, count_patients, count_first, count_last),
    'holds', expiring_holds(organization, hold_ids), 'caregivers', caregivers_of(organization, contact_ids),
    'keys', (
      select json_agg(json_build_array(
        k.user_id, k.key, encode(k.fingerprint, 'base64'), k.status, encode(k.answer_encrypted, 'base64')))
      from unnest(key_users, key_names) w(user_id, key)
      cross join lateral (
        select k.* from idempotency_keys k
        where k.organization_id = organization and k.user_id = w.user_id and k.key = w.key
          and k.created_at > now() - interval '24 hours' limit 1) k),
    'claims', (
      select json_agg(json_build_array(
        c.resource_id, c.seat, date_part('epoch', c.starts_at)::bigint, date_part('epoch', c.ends_at)::bigint,
        c.kind, coalesce(c.appointment_id, c.hold_id, c.block_id, c.closure_id, c.time_off_id)))
      from unnest(span_resources, span_starts, span_ends) s(resource_id, starts_at, ends_at)
      cross join lateral (
        select c.* from claims c
        where c.organization_id = organization and c.resource_id = s.resource_id
          and c.starts_at > to_timestamp(s.starts_at - 93600) and c.starts_at < to_timestamp(s.ends_at)
          and c.ends_at > to_timestamp(s.starts_at)
        order by c.starts_at
        offset 0) c))::text
  from turns t
  where t.organization_id = organization
$$;
