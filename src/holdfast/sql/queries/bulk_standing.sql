-- Whether an organization's calendar is empty, and who is its admin, asked inside the turn.
select not exists (select from appointments a where a.organization_id = $1) as is_empty,
       (select u.id from users u
        where u.organization_id = $1 and u.role = 'admin' and u.is_active order by u.created_at, u.id limit 1) as admin
