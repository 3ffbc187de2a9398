-- the other one
select 2
