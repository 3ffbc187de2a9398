-- Writes one service as its document says.
select service_save($1, $2, $3)
