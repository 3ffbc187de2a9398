-- The last batch that was committed before an instant; 0 if none was. Batches are numbered as they were committed, so it is
-- found by halving, without an index that each booking would have to keep. The moment of a batch is that at which its
-- transaction began, which may be before the batch it waited for: who must not miss one leaves an hour.
create or replace function batch_before(organization uuid, at timestamptz)
returns bigint
language plpgsql stable strict
as $$
declare
  low bigint := 0;
  high bigint;
  middle bigint;
begin
  select t.batch_count into high from turns t where t.organization_id = organization;
  while low < high loop
    middle := (low + high + 1) / 2;
    perform from batches b where b.organization_id = organization and b.batch_no = middle and b.committed_at < at;
    if found then
      low := middle;
    else
      high := middle - 1;
    end if;
  end loop;
  return low;
end
$$;
