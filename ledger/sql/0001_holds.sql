-- A hold sets money aside: outgoing where posting it lowers what an account has available (the source of a credit-normal
-- account, the destination of a debit-normal one), incoming elsewhere. Only outgoing holds count against a floor.

-- Adds to the held columns (negative amounts release). Rows are locked by account id, p_also among them: the accounts that
-- the caller will post to next. After the locks, accounts whose available amount fell are checked.
CREATE FUNCTION ledger_hold_move(p_sources uuid[], p_destinations uuid[], p_amounts bigint[], p_also uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    v_bad record;
BEGIN
    INSERT INTO ledger_balance AS b (account_id, stripe, held_in, held_out)
    SELECT a.id, CASE WHEN a.stripes = 1 THEN 0 ELSE pg_backend_pid() % a.stripes END,
           coalesce(sum(m.amount) FILTER (WHERE m.is_source <> (a.normal_side = 'credit')), 0),
           coalesce(sum(m.amount) FILTER (WHERE m.is_source = (a.normal_side = 'credit')), 0)
    FROM (SELECT id, true AS is_source, amount FROM unnest((SELECT p_sources), p_amounts) AS s (id, amount)
          UNION ALL SELECT id, false, amount FROM unnest((SELECT p_destinations), p_amounts) AS d (id, amount)
          UNION ALL SELECT id, true, 0 FROM unnest((SELECT p_also)) AS o (id)) m
    CROSS JOIN LATERAL (SELECT * FROM ledger_account WHERE id = m.id LIMIT 1) a
    GROUP BY a.id, a.stripes
    ORDER BY a.id
    ON CONFLICT (account_id, stripe) DO UPDATE
        SET held_in = b.held_in + excluded.held_in, held_out = b.held_out + excluded.held_out;

    IF p_amounts[1] > 0 THEN
        SELECT m.id, a.row AS account, CASE a.normal_side WHEN 'credit' THEN b.posted ELSE -b.posted END - b.held_out AS available
        INTO v_bad
        FROM (SELECT id, true AS is_source FROM unnest((SELECT p_sources)) AS s (id)
              UNION ALL SELECT id, false FROM unnest((SELECT p_destinations)) AS d (id)) m
        CROSS JOIN LATERAL (SELECT x AS row, x.* FROM ledger_account x WHERE id = m.id LIMIT 1) a
        LEFT JOIN LATERAL (SELECT * FROM ledger_balance WHERE account_id = m.id AND stripe = 0 LIMIT 1) b ON true
        WHERE a.closed_at IS NOT NULL
           OR (a.floor_minor IS NOT NULL AND m.is_source = (a.normal_side = 'credit')
               AND CASE a.normal_side WHEN 'credit' THEN b.posted ELSE -b.posted END - b.held_out < a.floor_minor)
        ORDER BY m.id LIMIT 1;
        IF FOUND THEN
            PERFORM ledger_refuse_account(v_bad.id, v_bad.account, (v_bad.account).currency, v_bad.available);
        END IF;
    END IF;
END $$;

-- Accounts as in ledger_post: the source first, then the destination.
CREATE FUNCTION ledger_hold_place(
    p_id uuid, p_key text, p_currency text, p_amount bigint, p_expires timestamptz, p_reference text, p_description text,
    p_metadata jsonb,
    p_paths text[], p_currencies text[], p_sides text[], p_floors bigint[], p_stripes smallint[], p_owners uuid[], p_new_ids uuid[],
    OUT hold ledger_hold, OUT existed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    v_accounts uuid[];
    v_bad ledger_account;
BEGIN
    SELECT r.ids INTO v_accounts
    FROM ledger_accounts_resolve(p_paths, p_currencies, p_sides, p_floors, p_stripes, p_owners, p_new_ids) r;
    INSERT INTO ledger_hold (id, source_account, destination_account, currency, amount_minor, expires_at, description, reference,
                             idempotency_key, metadata)
    VALUES (p_id, v_accounts[1], v_accounts[2], p_currency, p_amount, p_expires, p_description, p_reference, p_key, p_metadata)
    ON CONFLICT (idempotency_key) DO NOTHING RETURNING * INTO hold;
    existed := NOT FOUND;
    IF existed THEN
        SELECT h.* INTO hold FROM ledger_hold h WHERE h.idempotency_key = p_key;
        IF (hold.source_account, hold.destination_account, hold.currency, hold.amount_minor, hold.reference)
           IS DISTINCT FROM (v_accounts[1], v_accounts[2], p_currency::char(3), p_amount, p_reference) THEN
            RAISE EXCEPTION 'the idempotency key belongs to another hold' USING ERRCODE = 'LD009',
                DETAIL = json_build_object('key', p_key, 'hold', hold.id);
        END IF;
        RETURN;
    END IF;
    SELECT a.* INTO v_bad FROM ledger_account a WHERE a.id = ANY (v_accounts) AND a.currency <> p_currency LIMIT 1;
    IF FOUND THEN
        PERFORM ledger_refuse_account(v_bad.id, v_bad, p_currency, NULL);
    END IF;
    PERFORM ledger_hold_move(v_accounts[1:1], v_accounts[2:2], ARRAY[p_amount], '{}');
END $$;

-- Posts p_amount of a hold (NULL: all that is open) from its source to its destination. p_final releases the rest.
-- Further lines (a fee, a split) join the same transaction; their accounts come as in ledger_post.
CREATE FUNCTION ledger_hold_post(
    p_hold uuid, p_amount bigint, p_final boolean, p_now timestamptz,
    p_id uuid, p_kind text, p_key text, p_effective timestamptz, p_reference text, p_description text, p_metadata jsonb,
    p_paths text[], p_currencies text[], p_sides text[], p_floors bigint[], p_stripes smallint[], p_owners uuid[], p_new_ids uuid[],
    p_line_accounts int[], p_line_amounts bigint[],
    OUT hold ledger_hold, OUT id uuid, OUT existed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    v_accounts uuid[] := '{}';
    v_other ledger_transaction;
    v_now timestamptz := clock_timestamp();
    v_open bigint;
    v_amount bigint;
    v_release bigint;
BEGIN
    SELECT h.* INTO hold FROM ledger_hold h WHERE h.id = p_hold FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such hold' USING ERRCODE = 'LD012', DETAIL = json_build_object('hold', p_hold);
    END IF;
    SELECT t.* INTO v_other FROM ledger_transaction t WHERE t.idempotency_key = p_key;
    IF FOUND AND v_other.hold_id = p_hold AND v_other.hold_minor = coalesce(p_amount, v_other.hold_minor) THEN
        id := v_other.id;
        existed := true;
        RETURN;
    ELSIF FOUND THEN
        RAISE EXCEPTION 'the idempotency key belongs to another posting' USING ERRCODE = 'LD009',
            DETAIL = json_build_object('key', p_key, 'transaction', v_other.id);
    END IF;
    v_open := hold.amount_minor - hold.posted_minor - hold.voided_minor;
    v_amount := coalesce(p_amount, v_open);
    IF hold.state <> 'pending' THEN
        RAISE EXCEPTION 'the hold is settled' USING ERRCODE = 'LD013', DETAIL = json_build_object('hold', p_hold, 'state', hold.state);
    ELSIF hold.expires_at <= p_now THEN
        RAISE EXCEPTION 'the hold has expired' USING ERRCODE = 'LD015', DETAIL = json_build_object('hold', p_hold);
    ELSIF v_amount < 1 OR v_amount > v_open THEN
        RAISE EXCEPTION 'more than the hold has left' USING ERRCODE = 'LD014',
            DETAIL = json_build_object('hold', p_hold, 'currency', hold.currency, 'open', v_open, 'amount', v_amount);
    END IF;
    IF cardinality(p_paths) > 0 THEN
        SELECT r.ids INTO v_accounts
        FROM ledger_accounts_resolve(p_paths, p_currencies, p_sides, p_floors, p_stripes, p_owners, p_new_ids) r;
    END IF;

    INSERT INTO ledger_transaction (id, kind, idempotency_key, hold_id, hold_minor, effective_at, created_at, reference, description, metadata)
    VALUES (p_id, p_kind, p_key, p_hold, v_amount, p_effective, v_now, coalesce(p_reference, hold.reference), p_description, p_metadata)
    ON CONFLICT (idempotency_key) DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the idempotency key belongs to another posting' USING ERRCODE = 'LD009', DETAIL = json_build_object('key', p_key);
    END IF;
    v_release := CASE WHEN p_final THEN v_open ELSE v_amount END;
    UPDATE ledger_hold h
    SET posted_minor = h.posted_minor + v_amount,
        voided_minor = h.voided_minor + v_release - v_amount,
        void_reason = CASE WHEN v_release > v_amount THEN 'released' ELSE h.void_reason END,
        state = CASE WHEN v_release = v_open THEN 'posted' ELSE 'pending' END
    WHERE h.id = p_hold RETURNING h.* INTO hold;
    PERFORM ledger_hold_move(ARRAY[hold.source_account], ARRAY[hold.destination_account], ARRAY[-v_release], v_accounts);
    INSERT INTO ledger_entry (transaction_id, line, account_id, currency, amount_minor, effective_at, created_at)
    SELECT p_id, 1, hold.source_account, hold.currency, -v_amount, p_effective, v_now
    UNION ALL SELECT p_id, 2, hold.destination_account, hold.currency, v_amount, p_effective, v_now
    UNION ALL SELECT p_id, 2 + l.n, v_accounts[l.a], p_currencies[l.a], l.amount, p_effective, v_now
              FROM unnest(p_line_accounts, p_line_amounts) WITH ORDINALITY AS l (a, amount, n);
    id := p_id;
    existed := false;
END $$;

CREATE FUNCTION ledger_hold_void(p_hold uuid, p_reason text) RETURNS ledger_hold
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    v_hold ledger_hold;
    v_open bigint;
BEGIN
    SELECT h.* INTO v_hold FROM ledger_hold h WHERE h.id = p_hold FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such hold' USING ERRCODE = 'LD012', DETAIL = json_build_object('hold', p_hold);
    ELSIF v_hold.state <> 'pending' THEN
        RAISE EXCEPTION 'the hold is settled' USING ERRCODE = 'LD013', DETAIL = json_build_object('hold', p_hold, 'state', v_hold.state);
    END IF;
    v_open := v_hold.amount_minor - v_hold.posted_minor - v_hold.voided_minor;
    UPDATE ledger_hold h
    SET voided_minor = h.voided_minor + v_open, void_reason = p_reason,
        state = CASE WHEN h.posted_minor > 0 THEN 'posted' ELSE 'voided' END
    WHERE h.id = p_hold RETURNING h.* INTO v_hold;
    PERFORM ledger_hold_move(ARRAY[v_hold.source_account], ARRAY[v_hold.destination_account], ARRAY[-v_open], '{}');
    RETURN v_hold;
END $$;

-- Voids up to p_limit pending holds that expired by p_now; holds another session is busy with wait for the next run.
CREATE FUNCTION ledger_hold_expire(p_now timestamptz, p_limit int) RETURNS SETOF ledger_hold
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    v_due uuid[];
    v_sources uuid[];
    v_destinations uuid[];
    v_amounts bigint[];
BEGIN
    SELECT array_agg(d.id), array_agg(d.source_account), array_agg(d.destination_account), array_agg(-d.open)
    INTO v_due, v_sources, v_destinations, v_amounts
    FROM (SELECT h.id, h.source_account, h.destination_account, h.amount_minor - h.posted_minor - h.voided_minor AS open
          FROM ledger_hold h WHERE h.state = 'pending' AND h.expires_at <= p_now
          ORDER BY h.expires_at, h.id LIMIT p_limit FOR UPDATE SKIP LOCKED) d;
    IF v_due IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        UPDATE ledger_hold h
        SET voided_minor = h.amount_minor - h.posted_minor, void_reason = 'expired',
            state = CASE WHEN h.posted_minor > 0 THEN 'posted' ELSE 'voided' END
        WHERE h.id = ANY (v_due) RETURNING h.*;
    PERFORM ledger_hold_move(v_sources, v_destinations, v_amounts, '{}');
END $$;
