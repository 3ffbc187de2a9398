-- Verifying may take longer than a request may, and never waits for a lock. A running transaction's limit is only
-- read anew when it is switched off first.
select set_config('statement_timeout', $1, true), set_config('transaction_timeout', '0', true),
       set_config('transaction_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $1, true),
       set_config('lock_timeout', '1s', true)
