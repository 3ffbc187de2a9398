-- Writes one contact as its document says.
select contact_save($1, $2, $3)
