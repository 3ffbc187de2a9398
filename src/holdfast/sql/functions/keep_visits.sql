-- Writes visits: what their rooms were chosen on, new ones, and those of which anything may have changed. A visit whose room was
-- not decided on anew keeps how it was decided.
create or replace function keep_visits(
  organization uuid, decided timestamptz, grounds_new new_grounds[], appointments_new booked_visit[],
  appointments_changed changed_visit[])
returns void
language plpgsql volatile
as $$
declare
  touched bigint;
begin
  if cardinality(grounds_new) > 0 then
    insert into room_grounds (organization_id, id, body) select organization, r.id, r.body from unnest(grounds_new) r
    on conflict do nothing;
  end if;
  if cardinality(appointments_new) > 0 then
    insert into appointments (
      organization_id, id, clinic_id, patient_id, room_id, location, starts_at, ends_at, status, pinned,
      turnover_minutes, assignment_method, policy_version, score, rules_applied, replaces_appointment_id,
      notes_encrypted, created_by, created_at, updated_at, decision, grounds_id, series_id, group_id)
    select organization, r.id, r.clinic_id, r.patient_id, r.room_id, r.location, to_timestamp(r.starts_at),
           to_timestamp(r.ends_at), r.status, r.pinned, r.turnover_minutes, r.assignment_method, r.policy_version,
           r.score, r.rules_applied, r.replaces_appointment_id, r.notes_encrypted, r.created_by, decided, decided,
           r.decision, r.grounds_id, r.series_id, r.group_id
    from unnest(appointments_new) r;
  end if;

  -- the version guards against a writer outside the turn
  if cardinality(appointments_changed) > 0 then
    update appointments a
    set room_id = r.room_id, location = r.location, starts_at = to_timestamp(r.starts_at),
        ends_at = to_timestamp(r.ends_at), status = r.status, needs_action = r.needs_action, pinned = r.pinned,
        turnover_minutes = r.turnover_minutes, assignment_method = r.assignment_method,
        policy_version = r.policy_version, score = r.score, rules_applied = r.rules_applied,
        cancelled_by = r.cancelled_by, cancel_reason_code = r.cancel_reason_code, notice_minutes = r.notice_minutes,
        cancel_reason_encrypted = r.cancel_reason_encrypted, cancelled_at = to_timestamp(r.cancelled_at),
        cancelled_late = r.cancelled_late, checked_in_at = to_timestamp(r.checked_in_at),
        started_at = to_timestamp(r.started_at), completed_at = to_timestamp(r.completed_at),
        notes_encrypted = r.notes_encrypted, version = r.version, updated_at = decided,
        decision = coalesce(r.decision, a.decision), grounds_id = case when r.decision is null then a.grounds_id else r.grounds_id end
    from unnest(appointments_changed) r
    where a.organization_id = organization and a.id = r.id and a.version = r.version - 1;
    get diagnostics touched = row_count;
    perform demand(touched = cardinality(appointments_changed), 'an appointment to change is not as it was read');
  end if;
end
$$;
