-- The write of a batch that was decided ahead, in one round trip: by itself it is a transaction, commits when it ends,
-- and takes the turn first. The tenant comes before the call (`case` is evaluated in order); a call without it finds no
-- turn and writes nothing.
select case when set_config('holdfast.organization_id', $1::uuid::text, true) <> '' then
  apply($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) end
