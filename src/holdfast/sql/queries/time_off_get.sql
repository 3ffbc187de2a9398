-- One time off as the API shows it.
select d.document::text from time_off_documents($1) d where d.id = $2
