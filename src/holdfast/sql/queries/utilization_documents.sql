-- Authorizations as the API shows them, each with whose it is, in the order given.
select (d.document::jsonb || jsonb_build_object('patient_name', (
    select p.given_name || ' ' || p.family_name from patients p
    where p.organization_id = $1 and p.id = d.patient_id)))::text as document
from unnest($2::uuid[]) with ordinality f (id, n)
cross join lateral (select d.* from authorization_documents($1) d where d.id = f.id offset 0) d
order by f.n
