-- What the optimiser proposed for the rooms of a clinic's day, kept so that it can be looked at and applied.

-- `moves` and `unplaced` name visits, rooms, versions and rules; who the patients are stands with the visits.
create table room_plans (
  organization_id uuid not null,
  id uuid not null,
  clinic_id uuid not null,
  on_date date not null,
  kind text not null,
  as_of_seq bigint not null,
  is_optimal boolean not null,
  score_before integer not null,
  score_after integer not null,
  score_bound integer not null,
  visits integer not null,
  moves jsonb not null,
  unplaced jsonb not null,
  created_by uuid not null,
  created_at timestamptz not null,
  applied_by uuid,
  applied_at timestamptz,
  constraint room_plans_pkey primary key (organization_id, id),
  constraint room_plans_clinic_fkey foreign key (organization_id, clinic_id)
    references clinics (organization_id, id),
  constraint room_plans_kind_known check (kind in ('repack', 'assign')),
  constraint room_plans_scores_within_bound check (score_after <= score_bound),
  constraint room_plans_applied_whole check ((applied_at is null) = (applied_by is null))
);
