"""`holdfast prove`: the seeds' load tests as scenarios, each on a scratch organization of its own, checked against what is stored."""
