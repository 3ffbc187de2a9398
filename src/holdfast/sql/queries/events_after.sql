-- Events after a seq with the names they are told by, for one read that serves every listener.
select seq, kind, body, patient_name, practitioner_name, room_number, service_code from events_after($1, $2, $3)
