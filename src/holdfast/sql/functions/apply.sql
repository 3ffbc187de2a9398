-- The booking transaction's one write: everything a batch of decided requests changes, set by set. The caller
-- (db/lanes.py) holds the turn and has decided on facts read inside it; the constraints check what it decided.
-- Old claims go in one statement before new ones come in the next: a swap of two visits never meets itself.
create or replace function apply(
  organization uuid, batch uuid, seq_before bigint, decided_at timestamptz,
  claims_gone json, claims_new json, appointments_new json, appointments_changed json,
  lines_new json, lines_changed json, authorizations_changed json, entries_new json,
  events_new json, audit_new json, keys_new json)
returns bigint
language plpgsql volatile
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  claim claims;
  appointment appointments;
  line appointment_lines;
  entry authorization_entries;
  touched bigint;
begin
  -- decided ahead and overtaken: nothing of it may be tried
  if (select t.seq from turns t where t.organization_id = organization) <> seq_before then
    raise exception 'the turn has moved' using errcode = 'HF001';
  end if;

  if claims_gone is not null then
    delete from claims c
    using json_populate_recordset(claim, claims_gone) g
    where c.organization_id = organization and c.resource_id = g.resource_id
      and c.starts_at = g.starts_at and c.seat = g.seat;
    get diagnostics touched = row_count;
    if touched <> json_array_length(claims_gone) then
      raise exception 'a claim to release is not there' using errcode = 'HF001';
    end if;
  end if;

  appointment.organization_id := organization;
  if appointments_new is not null then
    insert into appointments select a.* from json_populate_recordset(appointment, appointments_new) a;
  end if;

  -- the version guards against a writer outside the turn
  if appointments_changed is not null then
    update appointments a
    set room_id = r.room_id, location = r.location, starts_at = r.starts_at, ends_at = r.ends_at,
        status = r.status, needs_action = r.needs_action, pinned = r.pinned,
        turnover_minutes = r.turnover_minutes, assignment_method = r.assignment_method,
        policy_version = r.policy_version, score = r.score, rules_applied = r.rules_applied,
        cancelled_by = r.cancelled_by, cancel_reason_code = r.cancel_reason_code,
        cancel_reason_encrypted = r.cancel_reason_encrypted, cancelled_at = r.cancelled_at,
        notice_minutes = r.notice_minutes, cancelled_late = r.cancelled_late,
        checked_in_at = r.checked_in_at, started_at = r.started_at, completed_at = r.completed_at,
        notes_encrypted = r.notes_encrypted, version = r.version, updated_at = r.updated_at
    from json_populate_recordset(appointment, appointments_changed) r
    where a.organization_id = organization and a.id = r.id and a.version = r.version - 1;
    get diagnostics touched = row_count;
    if touched <> json_array_length(appointments_changed) then
      raise exception 'an appointment to change is not as it was read' using errcode = 'HF001';
    end if;
  end if;

  line.organization_id := organization;
  if lines_new is not null then
    insert into appointment_lines select l.* from json_populate_recordset(line, lines_new) l;
  end if;
  if lines_changed is not null then
    update appointment_lines l
    set practitioner_id = r.practitioner_id, starts_at = r.starts_at, ends_at = r.ends_at,
        authorization_id = r.authorization_id, units_reserved = r.units_reserved,
        minutes_actual = r.minutes_actual, buffer_minutes = r.buffer_minutes, line_status = r.line_status
    from json_populate_recordset(line, lines_changed) r
    where l.organization_id = organization and l.appointment_id = r.appointment_id and l.line_no = r.line_no;
    get diagnostics touched = row_count;
    if touched <> json_array_length(lines_changed) then
      raise exception 'a line to change is not there' using errcode = 'HF001';
    end if;
  end if;

  claim.organization_id := organization;
  if claims_new is not null then
    insert into claims (organization_id, resource_id, seat, during, starts_at, ends_at, kind, appointment_id)
    select c.organization_id, c.resource_id, c.seat, tstzrange(c.starts_at, c.ends_at, '[)'), c.starts_at, c.ends_at,
           c.kind, c.appointment_id
    from json_populate_recordset(claim, claims_new) c;
  end if;

  -- counters are written as decided; the CHECK decides again
  if authorizations_changed is not null then
    update authorizations a
    set used_units = r.used_units, scheduled_units = r.scheduled_units, manual_units = r.manual_units,
        version = r.version, updated_at = decided_at
    from json_to_recordset(authorizations_changed)
      as r(id uuid, used_units integer, scheduled_units integer, manual_units integer, version integer,
           version_read integer)
    where a.organization_id = organization and a.id = r.id and a.version = r.version_read;
    get diagnostics touched = row_count;
    if touched <> json_array_length(authorizations_changed) then
      raise exception 'an authorization to change is not as it was read' using errcode = 'HF001';
    end if;
  end if;
  if entries_new is not null then
    entry.organization_id := organization;
    entry.created_at := decided_at;
    entry.is_manual := false;
    insert into authorization_entries
    select e.* from json_populate_recordset(entry, entries_new) e;
  end if;

  return keep(organization, batch, seq_before, false, decided_at, events_new, audit_new, keys_new);
end
$$;
