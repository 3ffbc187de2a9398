-- Y3: one booking of 15 minutes per transaction, in one insert; none meets another. The 70,080 quarters of two years
-- are taken in a shuffled order, ten bookings in each: a client is a practitioner and a patient, its last digit a
-- room, the rest its quarter. :number counts each client's bookings on from where the round before ended.
\if :started
\else
select r.id as room_id, p.id as practitioner_id, c.id as patient_id
from rooms r, practitioners p, patients c
where r.n = :client_id % 10 and p.n = :client_id and c.n = :client_id \gset
\set started 1
\endif
\set quarter permute(:number * 5 + :client_id / 10, 70080, :seed)
\set number :number + 1
insert into bookings (room_id, practitioner_id, patient_id, during)
values (:room_id, :practitioner_id, :patient_id, tstzrange(
  timestamptz '2030-01-01 00:00:00+00' + :quarter * interval '15 minutes',
  timestamptz '2030-01-01 00:15:00+00' + :quarter * interval '15 minutes', '[)'));
