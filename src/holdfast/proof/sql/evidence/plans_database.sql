-- A database of its own for the plans of queries, beside the product's in the same cluster.
create database plans_with_indexes;
