-- migrate:up
-- A page's session is known by the hash of its cookie, and has no refresh token: the release before sees no hash and
-- finds no session. The checks read one row per sign-in of the last weeks, which is a moment.
-- squawk-ignore ban-drop-not-null
alter table sign_in_sessions alter column refresh_hash drop not null;
alter table sign_in_sessions add column cookie_hash bytea;
-- squawk-ignore constraint-missing-not-valid
alter table sign_in_sessions add constraint sign_in_sessions_cookie_length check (octet_length(cookie_hash) = 32);
alter table sign_in_sessions
  -- squawk-ignore constraint-missing-not-valid
  add constraint sign_in_sessions_one_secret check (num_nonnulls(refresh_hash, cookie_hash) = 1);

-- migrate:down
delete from sign_in_sessions where cookie_hash is not null;
-- squawk-ignore ban-drop-constraint
alter table sign_in_sessions drop constraint sign_in_sessions_one_secret;
-- squawk-ignore ban-drop-constraint
alter table sign_in_sessions drop constraint sign_in_sessions_cookie_length;
-- squawk-ignore ban-drop-column
alter table sign_in_sessions drop column cookie_hash;
-- squawk-ignore adding-not-nullable-field
alter table sign_in_sessions alter column refresh_hash set not null;
