-- Writes one payer as its document says.
select payer_save($1, $2, $3)
