-- the one database of the embedded engine
create database holdfast
