-- Writes lines of visits: new ones, those of which anything may have changed, and those that have left.
create or replace function keep_lines(
  organization uuid, lines_new visit_line[], lines_changed visit_line[], lines_gone gone_line[])
returns void
language plpgsql volatile
as $$
declare
  touched bigint;
begin
  if cardinality(lines_new) > 0 then
    insert into appointment_lines (
      organization_id, appointment_id, line_no, practitioner_id, service_id, starts_at, ends_at, patient_present,
      authorization_id, billable, units_reserved, unfunded_units, minutes_actual, travel_before_minutes, buffer_minutes,
      line_status, caregiver_id, units_used, funding)
    select organization, r.appointment_id, r.line_no, r.practitioner_id, r.service_id, to_timestamp(r.starts_at),
           to_timestamp(r.ends_at), r.patient_present, r.authorization_id, r.billable, r.units_reserved,
           r.unfunded_units, r.minutes_actual, r.travel_before_minutes, r.buffer_minutes, r.line_status, r.caregiver_id,
           r.units_used, r.funding
    from unnest(lines_new) r;
  end if;
  if cardinality(lines_changed) > 0 then
    update appointment_lines l
    set practitioner_id = r.practitioner_id, service_id = r.service_id, starts_at = to_timestamp(r.starts_at),
        ends_at = to_timestamp(r.ends_at), patient_present = r.patient_present, authorization_id = r.authorization_id,
        billable = r.billable, units_reserved = r.units_reserved, unfunded_units = r.unfunded_units,
        minutes_actual = r.minutes_actual, travel_before_minutes = r.travel_before_minutes,
        buffer_minutes = r.buffer_minutes, line_status = r.line_status, caregiver_id = r.caregiver_id,
        units_used = r.units_used, funding = r.funding
    from unnest(lines_changed) r
    where l.organization_id = organization and l.appointment_id = r.appointment_id and l.line_no = r.line_no;
    get diagnostics touched = row_count;
    perform demand(touched = cardinality(lines_changed), 'a line to change is not there');
  end if;
  if cardinality(lines_gone) > 0 then
    delete from appointment_lines l
    using unnest(lines_gone) r
    where l.organization_id = organization and l.appointment_id = r.appointment_id and l.line_no = r.line_no;
    get diagnostics touched = row_count;
    perform demand(touched = cardinality(lines_gone), 'a line to remove is not there');
  end if;
end
$$;
