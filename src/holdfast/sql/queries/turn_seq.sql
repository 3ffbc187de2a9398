-- Where the organization's sequence stands, without waiting for anyone.
select seq from turns where organization_id = $1
