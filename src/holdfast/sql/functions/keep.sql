-- The end of every writing transaction: its batch, events, audit rows and answers, and the turn moved on by the
-- number of events. The caller holds the turn and says which seq it decided on; anything else is a defect (HF001).
create or replace function keep(
  organization uuid, batch uuid, seq_before bigint, directory_changed boolean, decided_at timestamptz,
  events_new json, audit_new json, keys_new json)
returns bigint
language plpgsql volatile
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  turn turns;
  seq_after bigint;
  event events;
  entry audit;
  link bytea;
begin
  select * into strict turn from turns t where t.organization_id = organization for no key update;
  if turn.seq <> seq_before then
    raise exception 'decided at seq %, the turn is at %', seq_before, turn.seq using errcode = 'HF001';
  end if;
  seq_after := seq_before + coalesce(json_array_length(events_new), 0);

  -- events, numbered in the order given
  event.organization_id := organization;
  event.created_at := decided_at;
  insert into events (organization_id, seq, kind, body, created_at)
  select e.organization_id, seq_before + e.ordinality, e.kind, e.body, e.created_at
  from json_populate_recordset(event, events_new) with ordinality e;

  -- audit rows and their link
  entry.organization_id := organization;
  entry.batch_no := turn.batch_count + 1;
  entry.created_at := decided_at;
  insert into audit (organization_id, batch_no, position, actor_id, action, subject, subject_id, detail,
                     request_id, created_at)
  select a.organization_id, a.batch_no, a.position, a.actor_id, a.action, a.subject, a.subject_id, a.detail,
         a.request_id, a.created_at
  from json_populate_recordset(entry, audit_new) a;
  link := audit_link(organization, entry.batch_no, turn.audit_hash);
  insert into batches (organization_id, batch_no, id, seq_after, hash, committed_at)
  values (organization, entry.batch_no, batch, seq_after, link, decided_at);

  -- answers for equal keys; one that is there is past its 24 h (the turn's facts had none), and is replaced
  insert into idempotency_keys (organization_id, user_id, key, fingerprint, status, answer_encrypted, created_at)
  select organization, r.user_id, r.key, decode(r.fingerprint, 'base64'), r.status, decode(r.answer, 'base64'),
         decided_at
  from json_to_recordset(keys_new) as r(user_id uuid, key text, fingerprint text, status smallint, answer text)
  on conflict (organization_id, user_id, key) do update
    set fingerprint = excluded.fingerprint, status = excluded.status,
        answer_encrypted = excluded.answer_encrypted, created_at = excluded.created_at;

  update turns t
  set seq = seq_after, batch_count = t.batch_count + 1, audit_hash = link,
      directory_seq = case when directory_changed then seq_after else t.directory_seq end
  where t.organization_id = organization;
  return seq_after;
end
$$;
