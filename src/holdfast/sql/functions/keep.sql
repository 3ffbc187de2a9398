-- The end of every writing transaction: its batch, events, audit rows and answers, and the turn moved on by the
-- number of events. The caller holds the turn and says which seq it decided on; anything else is refused (HF001).
create or replace function keep(
  organization uuid, batch uuid, seq_before bigint, directory_changed boolean, decided_at bigint,
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
  seq_after bigint := seq_before + cardinality(events_new);
  link bytea;
  touched bigint;
begin
  select * into strict turn from turns t where t.organization_id = organization for no key update;
  perform demand(turn.seq = seq_before, format('decided at seq %s, the turn is at %s', seq_before, turn.seq));
  turn.batch_count := turn.batch_count + 1;

  -- events and audit rows, numbered in the order given
  insert into events (organization_id, seq, kind, body, created_at)
  select organization, seq_before + r.ordinality, r.kind, r.body, decided
  from unnest(events_new) with ordinality r;
  insert into audit (organization_id, batch_no, position, actor_id, action, subject, subject_id, detail,
                     request_id, created_at)
  select organization, turn.batch_count, r.ordinality, r.actor_id, r.action, r.subject, r.subject_id, r.detail,
         r.request_id, decided
  from unnest(audit_new) with ordinality r;
  link := audit_link(organization, turn.batch_count, turn.audit_hash);
  insert into batches (organization_id, batch_no, id, seq_after, hash, committed_at)
  values (organization, turn.batch_count, batch, seq_after, link, decided);

  -- answers for equal keys; one that is past its 24 h is replaced, another was not known of: decide again
  insert into idempotency_keys (organization_id, user_id, key, fingerprint, status, answer_encrypted, created_at)
  select organization, r.user_id, r.key, r.fingerprint, r.status, r.answer_encrypted, decided
  from unnest(keys_new) r
  on conflict (organization_id, user_id, key) do update
    set fingerprint = excluded.fingerprint, status = excluded.status,
        answer_encrypted = excluded.answer_encrypted, created_at = excluded.created_at
    where idempotency_keys.created_at <= now() - interval '24 hours';
  get diagnostics touched = row_count;
  perform demand(touched = cardinality(keys_new), 'a key has its answer already');

  update turns t
  set seq = seq_after, batch_count = turn.batch_count, audit_hash = link,
      directory_seq = case when directory_changed then seq_after else t.directory_seq end
  where t.organization_id = organization;
  return seq_after;
end
$$;
