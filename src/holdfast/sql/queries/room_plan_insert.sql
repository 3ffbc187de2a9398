-- Keeps what was proposed.
insert into room_plans (
  organization_id, id, clinic_id, on_date, kind, as_of_seq, is_optimal, score_before, score_after, score_bound, visits,
  moves, unplaced, created_by, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
