-- Writes one authorization as its document says.
select authorization_save($1, $2, $3)
