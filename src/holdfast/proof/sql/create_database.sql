-- The yardsticks' database, beside the product's in the same cluster.
create database yardsticks;
