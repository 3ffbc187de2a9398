-- migrate:up
-- A claim that a batch makes may be an absence's. Rows are sent by the places of their fields, so a name may change.
-- squawk-ignore renaming-column
alter type new_claim rename attribute appointment_id to owner_id;

-- migrate:down
-- squawk-ignore ban-drop-function
drop function if exists occupy(uuid, new_claim[]);
-- squawk-ignore renaming-column
alter type new_claim rename attribute owner_id to appointment_id;
