-- The copy without indexes is done with.
drop database if exists plans_without_indexes with (force);
