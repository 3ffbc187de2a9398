-- Writes one room as its document says.
select room_save($1, $2, $3)
