-- Throws away answers that no equal request may ask for any more, a bounded number at a time.
delete from idempotency_keys k
using (
  select d.user_id, d.key from idempotency_keys d
  where d.organization_id = $1 and d.created_at < now() - interval '25 hours'
  order by d.created_at limit 5000) old
where k.organization_id = $1 and k.user_id = old.user_id and k.key = old.key
