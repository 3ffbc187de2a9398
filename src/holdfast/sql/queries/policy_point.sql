-- Says which set of documents is in force, and whether it asks for a patient's earlier visits.
update turns set policy_version = $2, asks_history = $3 where organization_id = $1
