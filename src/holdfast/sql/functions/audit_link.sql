-- One link of an organization's audit chain: sha256 over the link before and the stored audit rows of one batch
-- in order. The writer and the verifier call this same function.
create or replace function audit_link(organization uuid, batch bigint, previous bytea)
returns bytea
language sql stable
as $$
  select sha256(previous || convert_to(coalesce(string_agg(
      concat_ws(e'\x1f', a.organization_id, a.batch_no, a.position, coalesce(a.actor_id::text, '-'), a.action,
                a.subject, a.subject_id, a.detail, a.request_id, date_part('epoch', a.created_at)),
      e'\x1e' order by a.position), ''), 'UTF8'))
  from audit a
  where a.organization_id = organization and a.batch_no = batch
$$;
