-- migrate:up
alter table payers add column unit_caps jsonb not null default '[
    {"code": "97151", "units": 32}, {"code": "97152", "units": 16}, {"code": "97153", "units": 32},
    {"code": "97154", "units": 18}, {"code": "97155", "units": 24}, {"code": "97156", "units": 16},
    {"code": "97157", "units": 16}, {"code": "97158", "units": 16}]';
alter table payers add column cap_policy text not null default 'warn';
-- Every row that is there has the default, so there is nothing to find; the scan is the price of saying so.
-- squawk-ignore constraint-missing-not-valid
alter table payers add constraint payers_cap_policy_known check (cap_policy in ('deny', 'warn', 'allow'));
alter table authorizations add column caps jsonb not null default '[]';

create table unit_counts (
  organization_id uuid not null,
  patient_id uuid not null,
  on_date date not null,
  payer_id uuid not null,
  code text not null,
  units integer not null,
  constraint unit_counts_pkey primary key (organization_id, patient_id, on_date, payer_id, code),
  constraint unit_counts_patient_fkey foreign key (organization_id, patient_id)
    references patients (organization_id, id),
  constraint unit_counts_payer_fkey foreign key (organization_id, payer_id) references payers (organization_id, id),
  constraint unit_counts_not_negative check (units >= 0)
);

-- What visits hold already is counted once; from then on the counts move with the ledger. The owner sees every
-- organization's rows for it.
alter table appointment_lines no force row level security;
alter table appointments no force row level security;
alter table clinics no force row level security;
alter table services no force row level security;
alter table authorizations no force row level security;
insert into unit_counts (organization_id, patient_id, on_date, payer_id, code, units)
select a.organization_id, a.patient_id, (a.starts_at at time zone c.time_zone)::date, z.payer_id, s.code,
       sum(l.units_reserved + coalesce(l.units_used, 0))
from appointment_lines l
join appointments a on a.organization_id = l.organization_id and a.id = l.appointment_id
join clinics c on c.organization_id = a.organization_id and c.id = a.clinic_id
join services s on s.organization_id = l.organization_id and s.id = l.service_id
join authorizations z on z.organization_id = l.organization_id and z.id = l.authorization_id
group by 1, 2, 3, 4, 5
having sum(l.units_reserved + coalesce(l.units_used, 0)) > 0;
alter table appointment_lines force row level security;
alter table appointments force row level security;
alter table clinics force row level security;
alter table services force row level security;
alter table authorizations force row level security;

create type unit_count as (patient_id uuid, on_date date, payer_id uuid, code text, units integer);

-- The write takes the counts, and facts read them. Nothing is released that would still call the functions without.
-- squawk-ignore ban-drop-function
drop function if exists apply(
  uuid, uuid, uuid, bigint, bigint, gone_claim[], moved_claim[], new_claim[], new_grounds[], booked_visit[],
  changed_visit[], visit_line[], visit_line[], gone_line[], new_hold[], ended_hold[], changed_authorization[],
  ledger_entry[], new_event[], new_audit[], new_key[]);
-- squawk-ignore ban-drop-function
drop function if exists facts_in_turn(uuid, uuid[], uuid[], uuid[], uuid[], uuid[], uuid[], text[], uuid[], bigint[], bigint[]);
-- squawk-ignore ban-drop-function
drop function if exists facts(uuid, uuid[], uuid[], uuid[], uuid[], uuid[], uuid[], text[], uuid[], bigint[], bigint[]);

-- migrate:down
-- squawk-ignore ban-drop-function
drop function if exists apply(
  uuid, uuid, uuid, bigint, bigint, gone_claim[], moved_claim[], new_claim[], new_grounds[], booked_visit[],
  changed_visit[], visit_line[], visit_line[], gone_line[], new_hold[], ended_hold[], changed_authorization[],
  ledger_entry[], unit_count[], new_event[], new_audit[], new_key[]);
-- squawk-ignore ban-drop-function
drop function if exists facts_in_turn(uuid, uuid[], uuid[], uuid[], uuid[], uuid[], uuid[], text[], uuid[], date[], date[], uuid[], bigint[], bigint[]);
-- squawk-ignore ban-drop-function
drop function if exists facts(uuid, uuid[], uuid[], uuid[], uuid[], uuid[], uuid[], text[], uuid[], date[], date[], uuid[], bigint[], bigint[]);
-- squawk-ignore ban-drop-function
drop function if exists counts_of(uuid, uuid[], date[], date[]);
-- squawk-ignore ban-drop-type
drop type unit_count;
-- squawk-ignore ban-drop-table
drop table unit_counts;
-- squawk-ignore ban-drop-column
alter table authorizations drop column caps;
-- squawk-ignore ban-drop-column
alter table payers drop column cap_policy;
-- squawk-ignore ban-drop-column
alter table payers drop column unit_caps;
