-- After a large fill: what a running database would have done by itself before long.
vacuum analyze;
