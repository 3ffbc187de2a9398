-- The places, people and policies of an organization, as the server reads them when it does not have them.
select directory($1)
