-- One closure as the API shows it.
select d.document::text from closure_documents($1) d where d.id = $2
