"""What is seen of a server and its database while a scenario runs: counters, resources, locks, plans, indexes."""
