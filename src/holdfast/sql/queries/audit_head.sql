-- The head that an organization's audit chain must lead to.
select seq, batch_count, audit_hash from turns where organization_id = $1
