-- no table is waited for long: every writer would queue behind the wait
select set_config('lock_timeout', $1, false), set_config('statement_timeout', '0', false),
       set_config('transaction_timeout', '0', false)
