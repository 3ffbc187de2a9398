-- An organization's wrapped data key.
select data_key from organizations where organization_id = $1
