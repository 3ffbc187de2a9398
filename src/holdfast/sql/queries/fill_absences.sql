-- Gives time that has become free on some resources to the absences that cover it.
select fill_absences($1, $2, $3, $4)
