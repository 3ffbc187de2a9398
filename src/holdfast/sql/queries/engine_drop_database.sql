-- for `demo --fresh`: whoever is connected is cut off
drop database if exists holdfast with (force)
