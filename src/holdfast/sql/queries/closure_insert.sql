-- Records a closure of a clinic or of one of its rooms.
insert into closures (organization_id, id, clinic_id, room_id, starts_at, ends_at, reason, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
