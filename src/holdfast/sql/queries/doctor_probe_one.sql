-- one of two different statements that get the same name, to find a pooler that mixes them up
select 1
