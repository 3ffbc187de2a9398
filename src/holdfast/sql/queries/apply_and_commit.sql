-- The booking transaction's write and its COMMIT, in one round trip.
select apply({organization}, {batch}, {seq_before}, {decided_at}, {claims_gone}, {claims_new},
             {appointments_new}, {appointments_changed}, {lines_new}, {lines_changed},
             {authorizations_changed}, {entries_new}, {events}, {audit}, {keys});
commit
