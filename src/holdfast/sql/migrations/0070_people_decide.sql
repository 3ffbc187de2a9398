-- migrate:up
alter table practitioners add column languages text[] not null default '{}';
alter table patients add column booking_constraints jsonb;

alter table contacts add column kind text not null default 'contact';
-- squawk-ignore constraint-missing-not-valid
alter table contacts add constraint contacts_kind_fixed check (kind = 'contact');
-- squawk-ignore ban-drop-constraint
alter table resources drop constraint resources_kind_known;
-- Wider than before, so there is nothing to find; the scan is the price of saying so.
-- squawk-ignore constraint-missing-not-valid
alter table resources add constraint resources_kind_known
  check (kind in ('room', 'practitioner', 'patient', 'contact'));
-- squawk-ignore constraint-missing-not-valid
alter table resource_seats add constraint resource_seats_contact_one check (kind <> 'contact' or seat = 0);

-- The policies bind the owner too, who must see every organization's rows for this once.
alter table contacts no force row level security;
alter table resources no force row level security;
alter table resource_seats no force row level security;
alter table patients no force row level security;
alter table patient_practitioners no force row level security;
alter table patient_availability no force row level security;
alter table coverages no force row level security;

insert into resources (organization_id, id, kind)
select c.organization_id, c.id, 'contact' from contacts c;
insert into resource_seats (organization_id, resource_id, seat, kind)
select c.organization_id, c.id, 0, 'contact' from contacts c;
-- Every contact has its resource by now; contacts are few beside visits.
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
alter table contacts add constraint contacts_resource_fkey foreign key (organization_id, id, kind)
  references resources (organization_id, id, kind);

update patients p
set booking_constraints = n.booking_constraints
from (
  select q.organization_id, q.id, nullif(jsonb_strip_nulls(jsonb_build_object(
    'excluded', (
      select jsonb_agg(w.practitioner_id order by w.practitioner_id)
      from patient_practitioners w
      where w.organization_id = q.organization_id and w.patient_id = q.id and w.preference = 'excluded'),
    'preferred', (
      select jsonb_agg(w.practitioner_id order by w.practitioner_id)
      from patient_practitioners w
      where w.organization_id = q.organization_id and w.patient_id = q.id and w.preference = 'preferred'),
    'availability', (
      select jsonb_agg(jsonb_build_array(
        v.weekday, extract(epoch from v.starts)::integer / 60, extract(epoch from v.ends)::integer / 60)
        order by v.position)
      from patient_availability v
      where v.organization_id = q.organization_id and v.patient_id = q.id),
    'coverages', (
      select jsonb_agg(jsonb_build_array(k.payer_id, k.rank, k.valid_from, k.valid_to) order by k.rank, k.position)
      from coverages k
      where k.organization_id = q.organization_id and k.patient_id = q.id))), '{}') as booking_constraints
  from patients q) n
where p.organization_id = n.organization_id and p.id = n.id and n.booking_constraints is not null;

alter table contacts force row level security;
alter table resources force row level security;
alter table resource_seats force row level security;
alter table patients force row level security;
alter table patient_practitioners force row level security;
alter table patient_availability force row level security;
alter table coverages force row level security;

-- migrate:down
-- squawk-ignore ban-drop-constraint
alter table contacts drop constraint contacts_resource_fkey;
-- squawk-ignore ban-drop-column
alter table contacts drop column kind;
alter table resources no force row level security;
alter table resource_seats no force row level security;
delete from resource_seats s where s.kind = 'contact';
delete from resources r where r.kind = 'contact';
alter table resources force row level security;
alter table resource_seats force row level security;
-- squawk-ignore ban-drop-constraint
alter table resource_seats drop constraint resource_seats_contact_one;
-- squawk-ignore ban-drop-constraint
alter table resources drop constraint resources_kind_known;
-- squawk-ignore constraint-missing-not-valid
alter table resources add constraint resources_kind_known check (kind in ('room', 'practitioner', 'patient'));
-- squawk-ignore ban-drop-column
alter table patients drop column booking_constraints;
-- squawk-ignore ban-drop-column
alter table practitioners drop column languages;
