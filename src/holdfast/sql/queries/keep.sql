-- The end of a change outside the lanes.
select keep($1, $2, $3, $4, $5, $6, $7, $8)
