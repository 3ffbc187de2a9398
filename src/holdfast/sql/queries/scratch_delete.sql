-- Deletes a scratch organization with all of its rows; false, and nothing is deleted, if it is none.
select delete_scratch($1)
