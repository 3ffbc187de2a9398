-- Ends a writing transaction that changed something other than the schedule: batch, events, audit, answers, COMMIT.
select keep({organization}, {batch}, {seq_before}, {directory_changed}, {decided_at}, {events}, {audit}, {keys});
commit
