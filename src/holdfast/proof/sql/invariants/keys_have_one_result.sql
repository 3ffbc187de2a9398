-- Every idempotency key points to one result: a success, stored once, by a transaction that is there.
select k.user_id, k.key, k.status, k.created_at, count(*) over (partition by k.user_id, k.key) as results
from idempotency_keys k
where k.organization_id = $1
  and (k.status not between 200 and 299 or octet_length(k.answer_encrypted) = 0
       or not exists (
         select from batches b where b.organization_id = $1 and b.committed_at = k.created_at)
       or 1 < (select count(*) from idempotency_keys o
               where o.organization_id = $1 and o.user_id = k.user_id and o.key = k.key))
