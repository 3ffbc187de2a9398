-- A new organization's turn, at sequence 0; its row is the creator's until the end of the transaction.
insert into turns (organization_id) values ($1)
returning floor(date_part('epoch', now()))::bigint as now
