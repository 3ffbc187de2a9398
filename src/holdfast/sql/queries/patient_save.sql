-- Writes one patient as its document says.
select patient_save($1, $2, $3)
