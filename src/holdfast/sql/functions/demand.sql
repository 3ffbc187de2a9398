-- Stops a write that was decided on what is not so any more: nothing of it happens.
create or replace function demand(is_met boolean, otherwise text)
returns void
language plpgsql immutable
as $$
begin
  if is_met is not true then
    raise exception '%', otherwise using errcode = 'HF001';
  end if;
end
$$;
