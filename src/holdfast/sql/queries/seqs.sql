-- Where each of many organizations stands.
select organization_id::text as organization, seq from seqs($1)
