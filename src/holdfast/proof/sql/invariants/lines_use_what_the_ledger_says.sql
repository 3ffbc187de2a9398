-- What a line holds and has used is the sum of the ledger's entries about it; a line that has left its visit leaves nothing.
with told as (
  select e.authorization_id, e.appointment_id, e.line_no,
         sum(case e.kind when 'reserve' then e.units when 'adjust' then 0 else -e.units end) as held,
         sum(case when e.kind in ('consume', 'adjust') then e.units else 0 end) as used
  from authorization_entries e
  where e.organization_id = $1 and e.appointment_id is not null
  group by e.authorization_id, e.appointment_id, e.line_no
), stored as (
  select l.authorization_id, l.appointment_id, l.line_no, l.units_reserved as held, coalesce(l.units_used, 0) as used
  from appointment_lines l
  where l.organization_id = $1 and l.authorization_id is not null
)
select coalesce(t.appointment_id, s.appointment_id) as id, coalesce(t.line_no, s.line_no) as line_no, t.held as held_by_ledger,
       t.used as used_by_ledger, s.held, s.used
from told t
full join stored s on s.appointment_id = t.appointment_id and s.line_no = t.line_no
  and s.authorization_id = t.authorization_id
where (coalesce(t.held, 0), coalesce(t.used, 0)) is distinct from (coalesce(s.held, 0), coalesce(s.used, 0))
