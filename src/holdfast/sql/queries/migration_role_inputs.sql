-- hands names and the verifier to the next statement: a role's password cannot be a parameter, and a
-- literal in the text could end up in a log
select set_config('holdfast.role', $1, true),
       set_config('holdfast.verifier', $2, true),
       set_config('holdfast.role_settings', $3, true)
