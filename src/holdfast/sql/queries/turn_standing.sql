-- Where an organization stands: its sequence and that of its last change to places, people or services.
select seq, directory_seq from turns where organization_id = $1
