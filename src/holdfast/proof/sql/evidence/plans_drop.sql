-- The plans' own data are done with.
drop database if exists plans_with_indexes with (force);
