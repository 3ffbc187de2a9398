-- Whether a batch whose COMMIT got no answer has arrived. Asked inside the turn, so its old backend is gone.
select 1 from batches where organization_id = $1 and id = $2
