-- Records a practitioner's time off.
insert into time_off (organization_id, id, practitioner_id, starts_at, ends_at, kind, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
