-- The holds of an organization that have not ended, and those that are named, each as the decision reads it.
create or replace function expiring_holds(organization uuid, hold_ids uuid[])
returns json
language sql stable
as $$
  select json_agg(h.document)
  from (
    select h.id from holds h where h.organization_id = organization and h.ended_as is null
    union
    select unnest(hold_ids)) w
  cross join lateral (select expiring_hold(organization, w.id) as document) h
  where h.document is not null
$$;
