-- Reads what a batch is decided on, in this transaction's snapshot.
select facts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
