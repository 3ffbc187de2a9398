-- Whether an authorization's patient has visits of a series.
select exists (
  select
  from authorizations z
  join appointments a on a.organization_id = $1 and a.patient_id = z.patient_id
  where z.organization_id = $1 and z.id = $2 and a.series_id = $3)
