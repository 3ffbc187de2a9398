-- migrate:up
create type moved_claim as (resource_id uuid, starts_at bigint, seat smallint, seat_new smallint);

-- The write takes the claims that change seats too. Nothing is released that would still call it without.
-- squawk-ignore ban-drop-function
drop function if exists apply(
  uuid, uuid, uuid, bigint, bigint, gone_claim[], new_claim[], new_appointment[], changed_appointment[], new_line[],
  changed_line[], changed_authorization[], new_entry[], new_event[], new_audit[], new_key[]);

-- migrate:down
-- squawk-ignore ban-drop-function
drop function if exists apply(
  uuid, uuid, uuid, bigint, bigint, gone_claim[], moved_claim[], new_claim[], new_appointment[], changed_appointment[],
  new_line[], changed_line[], changed_authorization[], new_entry[], new_event[], new_audit[], new_key[]);
-- squawk-ignore ban-drop-function
drop function if exists vacate(uuid, gone_claim[], moved_claim[]);
-- squawk-ignore ban-drop-type
drop type moved_claim;
