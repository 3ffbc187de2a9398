-- Makes every process of the engine read its settings anew.
select pg_reload_conf()
