-- Opens a reading transaction for one organization in which each statement sees what is committed when it begins.
-- Between statements it holds no snapshot, so it keeps nothing from being cleaned up.
begin transaction isolation level read committed read only;
set local holdfast.organization_id = '{organization}'
