-- Reads an organization's places, people and services.
select directory($1)
