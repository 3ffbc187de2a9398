-- The booking transaction's one write: everything a batch of decided requests changes, set by set. It takes the turn,
-- if its transaction does not hold it. What was decided on another state than this refuses itself (HF001), and the
-- constraints check the rest.
-- Old claims go in one statement before new ones come in the next: a swap of two visits never meets itself.
create or replace function apply(
  organization uuid, batch uuid, batch_before uuid, seq_before bigint, decided_at bigint,
  claims_gone gone_claim[], claims_moved moved_claim[], claims_new new_claim[], grounds_new new_grounds[],
  appointments_new booked_visit[], appointments_changed changed_visit[], lines_new visit_line[], lines_changed visit_line[],
  lines_gone gone_line[], holds_new new_hold[], holds_ended ended_hold[],
  authorizations_changed changed_authorization[], entries_new ledger_entry[], counts_changed unit_count[],
  events_new new_event[], audit_new new_audit[], keys_new new_key[])
returns bigint
language plpgsql volatile
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  decided timestamptz := to_timestamp(decided_at);
  turn turns;
  touched bigint;
begin
  select * into strict turn from turns t where t.organization_id = organization for no key update;
  -- decided ahead and overtaken, or decided on top of a batch that is not the one stored: nothing may be tried
  perform demand(turn.seq = seq_before, 'the turn has moved');
  perform demand(batch_before is null or batch_before = (
    select b.id from batches b where b.organization_id = organization and b.batch_no = turn.batch_count),
    'the batch before is another');

  if cardinality(claims_gone) + cardinality(claims_moved) > 0 then
    perform vacate(organization, claims_gone, claims_moved);
  end if;

  perform keep_visits(organization, decided, grounds_new, appointments_new, appointments_changed);
  perform keep_lines(organization, lines_new, lines_changed, lines_gone);
  if cardinality(holds_new) + cardinality(holds_ended) > 0 then
    perform keep_holds(organization, decided, holds_new, holds_ended);
  end if;
  if cardinality(claims_new) > 0 then
    perform occupy(organization, claims_new);
  end if;

  -- counters are written as decided; the CHECK decides again
  if cardinality(authorizations_changed) > 0 then
    update authorizations a
    set used_units = r.used_units, scheduled_units = r.scheduled_units, manual_units = r.manual_units,
        version = r.version, updated_at = decided
    from unnest(authorizations_changed) r
    where a.organization_id = organization and a.id = r.id and a.version = r.version_read;
    get diagnostics touched = row_count;
    perform demand(touched = cardinality(authorizations_changed), 'an authorization to change is not as it was read');
  end if;
  if cardinality(entries_new) > 0 then
    insert into authorization_entries (
      organization_id, authorization_id, entry_no, kind, units, appointment_id, line_no, seq, actor_id, is_manual,
      note_encrypted, created_at)
    select organization, r.*, decided from unnest(entries_new) r;
  end if;
  if cardinality(counts_changed) > 0 then
    insert into unit_counts (organization_id, patient_id, on_date, payer_id, code, units)
    select organization, r.* from unnest(counts_changed) r
    on conflict (organization_id, patient_id, on_date, payer_id, code) do update set units = excluded.units;
  end if;

  return keep(organization, batch, seq_before, false, decided_at, events_new, audit_new, keys_new);
end
$$;
