"""What is seen of a server and its database while they are measured. Of a scenario:

    with watched(eyes_on(server, engine)) as seen:
        ...
    seen.inside, seen.deadlocks, seen.statements

Of a whole run: `plan_pairs`, `index_use`, `hot_paths`. What cannot be seen says why.
"""
