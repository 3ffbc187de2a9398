-- Keeps a set of documents that comes into force.
insert into policy_states (organization_id, version, policy_ids, version_before, activates, over, created_by, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
