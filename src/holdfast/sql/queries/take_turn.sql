-- Takes the organization's turn and reads where it stands; alone in its statement, before anything is read.
select seq, directory_seq from turns where organization_id = $1 for no key update
