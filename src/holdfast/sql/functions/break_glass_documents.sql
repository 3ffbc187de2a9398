-- Break-glass requests as the API shows them, the justification still sealed. The status is computed: the end is by the
-- clock, whether or not it has been written down. One that nobody approves is over after a day.
create or replace function break_glass_documents(organization uuid)
returns table (id uuid, user_id uuid, patient_id uuid, status text, document json)
language sql stable
as $$
  select g.id, g.user_id, g.patient_id, s.status, json_build_object(
    'id', g.id, 'patient_id', g.patient_id, 'user_id', g.user_id, 'minutes', g.minutes,
    'justification_encrypted', encode(g.justification_encrypted, 'hex'), 'status', s.status,
    'requested_at', as_instant(g.requested_at), 'approved_by', g.approved_by,
    'approved_at', as_instant(g.approved_at),
    'ends_at', as_instant(case when g.approved_at is not null then t.over_at end), 'ended_by', g.ended_by,
    'ended_at', as_instant(case s.status when 'expired' then t.over_at else g.ended_at end), 'version', g.version)
  from break_glass_requests g
  cross join lateral (
    select coalesce(g.approved_at + g.minutes * interval '1 minute', g.requested_at + interval '1 day') as over_at) t
  cross join lateral (
    select case
      when g.ended_as is not null then g.ended_as
      when t.over_at <= now() then 'expired'
      when g.approved_at is null then 'requested'
      else 'active'
    end as status) s
  where g.organization_id = organization
$$;
