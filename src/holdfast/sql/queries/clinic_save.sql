-- Writes one clinic as its document says.
select clinic_save($1, $2, $3)
