-- How many rows each of the tables has that the four queries read.
select (select count(*) from claims) as claims, (select count(*) from appointments) as appointments,
       (select count(*) from rooms) as rooms
