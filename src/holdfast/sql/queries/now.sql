-- The database's clock, epoch seconds: the one that decides.
select floor(date_part('epoch', now()))::bigint
