-- migrate:up transaction:false
-- The runner opens no transaction here (transaction:false).
-- squawk-ignore ban-concurrent-index-creation-in-transaction
create index concurrently if not exists sessions_drafts on sessions (organization_id, id) where signed_at is null;

-- migrate:down transaction:false
drop index concurrently if exists sessions_drafts;
