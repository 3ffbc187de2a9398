-- migrate:up
-- Replaced by session_document(), which is asked for one at a time; its body comes with the functions.
-- squawk-ignore ban-drop-function
drop function if exists session_documents(uuid);

-- migrate:down
-- squawk-ignore ban-drop-function
drop function if exists session_document(uuid, uuid);
