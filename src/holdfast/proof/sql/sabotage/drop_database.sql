-- What an earlier run may have left, and what this one leaves.
drop database if exists holdfast_sabotage with (force)
