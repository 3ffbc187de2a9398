-- What an organization's authorizations have promised and used by hand, and how many entries say so.
select
  (select coalesce(sum(z.manual_units), 0)::bigint from authorizations z where z.organization_id = $1) as reserved,
  (select coalesce(sum(z.used_units), 0)::bigint from authorizations z where z.organization_id = $1) as used,
  (select count(*) from authorization_entries e where e.organization_id = $1) as entries
