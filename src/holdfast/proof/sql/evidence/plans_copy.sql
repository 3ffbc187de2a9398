-- The same data once more, to be read without indexes.
create database plans_without_indexes template plans_with_indexes;
