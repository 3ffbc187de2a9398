-- Touches all of the shared memory once.
create unlogged table warm (filler text);
insert into warm
select repeat(md5(n::text), 30)
from pg_settings s cross join generate_series(1, 8 * s.setting::integer) n
where s.name = 'shared_buffers';
drop table warm
