-- Writes one practitioner as its document says.
select practitioner_save($1, $2, $3)
