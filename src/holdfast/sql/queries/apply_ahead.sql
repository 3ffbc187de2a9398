-- The write of a batch that was decided ahead, in one round trip: its own transaction, the turn first and alone, then
-- everything, then COMMIT. Refuses itself (HF001) if the sequence is not where the decision expected it.
begin transaction isolation level read committed read write;
set local holdfast.organization_id = {organization};
select seq from turns where organization_id = {organization} for no key update;
select apply({organization}, {batch}, {seq_before}, {decided_at}, {claims_gone}, {claims_new},
             {appointments_new}, {appointments_changed}, {lines_new}, {lines_changed},
             {authorizations_changed}, {entries_new}, {events}, {audit}, {keys});
commit
