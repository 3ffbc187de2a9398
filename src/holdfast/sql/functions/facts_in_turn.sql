-- Takes the organization's turn, then reads the facts. The two are separate statements of a volatile function, so
-- the facts are seen by a snapshot taken after the lock was granted.
create or replace function facts_in_turn(
  organization uuid, appointment_ids uuid[], patient_ids uuid[], authorization_ids uuid[],
  hold_ids uuid[], contact_ids uuid[],
  key_users uuid[], key_names text[], count_patients uuid[], count_first date[], count_last date[],
  span_resources uuid[], span_starts bigint[], span_ends bigint[])
returns text
language plpgsql volatile
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
  found_facts text;
begin
  perform from turns t where t.organization_id = organization for no key update;
  select facts(organization, appointment_ids, patient_ids, authorization_ids, hold_ids, contact_ids,
               key_users, key_names, count_patients, count_first, count_last, span_resources, span_starts, span_ends)
  into found_facts;
  return found_facts;
end
$$;
