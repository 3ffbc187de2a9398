-- Touches all of the shared memory once.
create unlogged table warm (filler text);
insert into warm select repeat(md5(n::text), 30) from generate_series(1, 270000) n;
drop table warm
