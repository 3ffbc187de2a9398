-- A set of documents that was in force, by its number.
select policy_ids::text[] as policy_ids, version_before, activates::text, over
from policy_states
where organization_id = $1 and version = $2
