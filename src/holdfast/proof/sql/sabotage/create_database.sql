-- The database that one sabotage is done to.
create database holdfast_sabotage template holdfast_sabotage_template strategy file_copy
