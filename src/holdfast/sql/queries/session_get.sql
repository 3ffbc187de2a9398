-- One session as the API shows it, with what was written last, sealed (hex), and the seq it is true at.
select json_build_object(
    'session', session_document($1, $2), 'draft_encrypted', encode(s.draft_encrypted, 'hex'),
    'content_encrypted', encode((
      select w.content_encrypted from session_versions w
      where w.organization_id = $1 and w.session_id = $2
      order by w.version_no desc
      limit 1), 'hex'))::text as document, t.seq
from turns t
join sessions s on s.organization_id = $1 and s.id = $2
where t.organization_id = $1
