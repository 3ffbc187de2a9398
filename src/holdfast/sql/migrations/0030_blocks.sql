-- migrate:up
create table blocks (
  organization_id uuid not null,
  id uuid not null,
  kind text not null,
  room_id uuid,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  label_encrypted bytea,
  deleted_at timestamptz,
  version integer not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint blocks_pkey primary key (organization_id, id),
  constraint blocks_room_fkey foreign key (organization_id, room_id) references rooms (organization_id, id),
  constraint blocks_kind_known check (kind in ('meeting', 'break', 'admin', 'training', 'travel')),
  constraint blocks_length check (starts_at < ends_at and ends_at - starts_at <= interval '24 hours')
);
create index blocks_starting on blocks (starts_at, organization_id);

create table block_attendees (
  organization_id uuid not null,
  block_id uuid not null,
  practitioner_id uuid not null,
  constraint block_attendees_pkey primary key (organization_id, block_id, practitioner_id),
  constraint block_attendees_block_fkey foreign key (organization_id, block_id) references blocks (organization_id, id),
  constraint block_attendees_practitioner_fkey foreign key (organization_id, practitioner_id)
    references practitioners (organization_id, id)
);

-- Nothing that is released has written a block_id, so there is nothing to find; the scan is the price of saying so.
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
alter table claims add constraint claims_block_fkey foreign key (organization_id, block_id)
  references blocks (organization_id, id);

-- migrate:down
-- squawk-ignore ban-drop-constraint
alter table claims drop constraint claims_block_fkey;
-- squawk-ignore ban-drop-table
drop table block_attendees, blocks;
