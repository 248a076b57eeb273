-- Opening is repeatable: the same path with the same terms answers the account that exists.
CREATE FUNCTION ledger_account_open(
    p_id uuid, p_path text, p_name text, p_currency text, p_side text, p_floor bigint, p_stripes smallint, p_owner uuid,
    p_metadata jsonb, OUT account ledger_account, OUT existed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF p_floor IS NOT NULL AND p_stripes > 1 THEN
        RAISE EXCEPTION 'a striped account has no floor' USING ERRCODE = 'LD020', DETAIL = json_build_object('path', p_path);
    END IF;
    INSERT INTO ledger_account (id, path, name, currency, normal_side, floor_minor, stripes, account_id, metadata)
    VALUES (p_id, p_path, p_name, p_currency, p_side, p_floor, p_stripes, p_owner, p_metadata)
    ON CONFLICT (path) DO NOTHING RETURNING * INTO account;
    existed := NOT FOUND;
    IF existed THEN
        SELECT a.* INTO account FROM ledger_account a WHERE a.path = p_path;
        IF (account.currency, account.normal_side, account.account_id) IS DISTINCT FROM (p_currency::char(3), p_side, p_owner) THEN
            RAISE EXCEPTION 'the account exists with other terms' USING ERRCODE = 'LD016',
                DETAIL = json_build_object('path', p_path, 'normal_side', account.normal_side, 'currency', account.currency);
        END IF;
    END IF;
END $$;

-- Locks every balance row the account can have: a posting under way is waited for, one that comes later sees the change.
CREATE FUNCTION ledger_account_lock(p_account uuid, OUT account ledger_account, OUT posted numeric, OUT held numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    SELECT a.* INTO account FROM ledger_account a WHERE a.id = p_account;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such account' USING ERRCODE = 'LD007', DETAIL = json_build_object('path', p_account);
    END IF;
    INSERT INTO ledger_balance AS b (account_id, stripe)
    SELECT p_account, s FROM generate_series(0, account.stripes - 1) AS s ORDER BY s
    ON CONFLICT (account_id, stripe) DO UPDATE SET posted = b.posted;
    SELECT a.* INTO account FROM ledger_account a WHERE a.id = p_account FOR UPDATE;
    IF account.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'the account is closed' USING ERRCODE = 'LD003', DETAIL = json_build_object('path', account.path);
    END IF;
    SELECT sum(b.posted), abs(sum(b.held_in)) + abs(sum(b.held_out)) INTO posted, held FROM ledger_balance b WHERE b.account_id = p_account;
END $$;

CREATE FUNCTION ledger_account_close(p_account uuid) RETURNS ledger_account
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    v record;
    v_account ledger_account;
BEGIN
    SELECT * INTO v FROM ledger_account_lock(p_account);
    IF v.posted <> 0 OR v.held <> 0 THEN
        RAISE EXCEPTION 'the account still has a balance or open holds' USING ERRCODE = 'LD017',
            DETAIL = json_build_object('path', (v.account).path, 'posted', v.posted, 'held', v.held);
    END IF;
    UPDATE ledger_account SET closed_at = clock_timestamp() WHERE id = p_account RETURNING * INTO v_account;
    RETURN v_account;
END $$;

-- A floor may be set above what is available: nothing moves, and nothing leaves until enough has come in.
CREATE FUNCTION ledger_account_floor(p_account uuid, p_floor bigint) RETURNS ledger_account
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    v record;
    v_account ledger_account;
BEGIN
    SELECT * INTO v FROM ledger_account_lock(p_account);
    IF p_floor IS NOT NULL AND (v.account).stripes > 1 THEN
        RAISE EXCEPTION 'a striped account has no floor' USING ERRCODE = 'LD020', DETAIL = json_build_object('path', (v.account).path);
    END IF;
    UPDATE ledger_account SET floor_minor = p_floor WHERE id = p_account RETURNING * INTO v_account;
    RETURN v_account;
END $$;
