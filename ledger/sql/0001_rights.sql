-- Every function looks into its own schema only, and into temporary tables last. Unnamed they would come first, and a
-- caller's temporary `ledger_balance` would stand in for the real one inside a function that runs as the owner.
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'ledger\_%'
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', v_function, current_schema());
    END LOOP;
END $$;

-- The application reads rows and calls the functions above; the only cells it writes itself are an account's name and metadata.

REVOKE ALL ON ledger_account, ledger_transaction, ledger_entry, ledger_balance, ledger_hold, ledger_drift FROM PUBLIC, fc_app;

GRANT SELECT ON ledger_account, ledger_transaction, ledger_entry, ledger_balance, ledger_hold, ledger_drift TO fc_app;

GRANT UPDATE (name, metadata) ON ledger_account TO fc_app;

REVOKE ALL ON FUNCTION ledger_accounts_resolve, ledger_hold_move, ledger_account_lock, ledger_refuse_account FROM PUBLIC;

REVOKE ALL ON FUNCTION ledger_post, ledger_reverse, ledger_hold_place, ledger_hold_post, ledger_hold_void, ledger_hold_expire,
    ledger_account_open, ledger_account_close, ledger_account_floor FROM PUBLIC;

GRANT EXECUTE ON FUNCTION ledger_post, ledger_reverse, ledger_hold_place, ledger_hold_post, ledger_hold_void, ledger_hold_expire,
    ledger_account_open, ledger_account_close, ledger_account_floor TO fc_app;
