-- The ways in. Every function is one round trip and runs as its owner: the application's role may call them and may read,
-- but writes no row of the ledger by itself.

-- Opens what is missing among the accounts that come with a normal side; an account that exists must have that side.
-- Returns ids, in the order of p_paths, and whether each is striped.
CREATE FUNCTION ledger_accounts_resolve(
    p_paths text[], p_currencies text[], p_sides text[], p_floors bigint[], p_stripes smallint[], p_owners uuid[], p_new_ids uuid[],
    OUT ids uuid[], OUT striped boolean[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    v_bad record;
BEGIN
    INSERT INTO ledger_account (id, path, currency, normal_side, floor_minor, stripes, account_id)
    SELECT r.id, r.path, r.currency, r.side, r.floor, coalesce(r.stripes, 1), coalesce(r.owner, '00000000-0000-0000-0000-000000000000')
    FROM unnest((SELECT p_paths), p_currencies, p_sides, p_floors, p_stripes, p_owners, p_new_ids)
         AS r (path, currency, side, floor, stripes, owner, id)
    WHERE r.side IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ledger_account a WHERE a.path = r.path)
    ORDER BY r.path
    ON CONFLICT (path) DO NOTHING;

    SELECT r.path, a.id, a.normal_side INTO v_bad
    FROM unnest((SELECT p_paths), p_sides) AS r (path, side)
    LEFT JOIN LATERAL (SELECT id, normal_side FROM ledger_account WHERE path = r.path LIMIT 1) a ON true
    WHERE a.id IS NULL OR a.normal_side <> r.side LIMIT 1;
    IF FOUND AND v_bad.id IS NULL THEN
        RAISE EXCEPTION 'no such account' USING ERRCODE = 'LD007', DETAIL = json_build_object('path', v_bad.path);
    ELSIF FOUND THEN
        RAISE EXCEPTION 'the account exists with other terms' USING ERRCODE = 'LD016',
            DETAIL = json_build_object('path', v_bad.path, 'normal_side', v_bad.normal_side);
    END IF;

    SELECT array_agg(a.id ORDER BY r.n), array_agg(a.stripes > 1 ORDER BY r.n) INTO ids, striped
    FROM unnest((SELECT p_paths)) WITH ORDINALITY AS r (path, n)
    CROSS JOIN LATERAL (SELECT id, stripes FROM ledger_account WHERE path = r.path LIMIT 1) a;
END $$;

-- Posts one or many transactions; all stand or none does. One element per transaction in p_ids … p_metadata, one per
-- account in p_paths … p_new_ids, one per line in p_line_*: a line points at its transaction and account by position.
-- A key that exists with the same content is answered with what it made (existed); with another content it is refused.
-- posted_at is the created_at of what was written; ids, existed, created_at and effective_at are empty unless a key existed.
-- Balances come in the order of p_paths, NULL for a striped account: its balance is a sum no posting should pay for.
-- (SELECT p_…) hides the array from the planner: it would otherwise plan every call anew for the number of elements.
CREATE FUNCTION ledger_post(
    p_ids uuid[], p_kinds text[], p_keys text[], p_effective timestamptz[], p_references text[], p_descriptions text[],
    p_metadata text[],
    p_paths text[], p_currencies text[], p_sides text[], p_floors bigint[], p_stripes smallint[], p_owners uuid[], p_new_ids uuid[],
    p_line_transactions int[], p_line_numbers int[], p_line_accounts int[], p_line_amounts bigint[],
    OUT posted_at timestamptz, OUT ids uuid[], OUT existed boolean[], OUT created_at timestamptz[], OUT effective_at timestamptz[],
    OUT accounts uuid[], OUT normal_sides text[], OUT posted bigint[], OUT held_in bigint[], OUT held_out bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    v_striped boolean[];
    v_agreed boolean;
    v_written int;
    v_bad record;
BEGIN
    posted_at := clock_timestamp();
    SELECT array_agg(a.id ORDER BY r.n), array_agg(a.stripes > 1 ORDER BY r.n), bool_and((a.normal_side = coalesce(r.side, a.normal_side)) IS TRUE)
    INTO accounts, v_striped, v_agreed
    FROM unnest((SELECT p_paths), p_sides) WITH ORDINALITY AS r (path, side, n)
    LEFT JOIN LATERAL (SELECT id, stripes, normal_side FROM ledger_account WHERE path = r.path LIMIT 1) a ON true;
    IF NOT v_agreed THEN
        SELECT r.ids, r.striped INTO accounts, v_striped
        FROM ledger_accounts_resolve(p_paths, p_currencies, p_sides, p_floors, p_stripes, p_owners, p_new_ids) r;
    END IF;

    INSERT INTO ledger_transaction (id, kind, idempotency_key, effective_at, created_at, reference, description, metadata)
    SELECT t.id, t.kind, t.key, t.effective, posted_at, t.reference, t.description, t.metadata::jsonb
    FROM unnest((SELECT p_ids), p_kinds, p_keys, p_effective, p_references, p_descriptions, p_metadata)
         AS t (id, kind, key, effective, reference, description, metadata)
    ORDER BY t.key
    ON CONFLICT (idempotency_key) DO NOTHING;
    GET DIAGNOSTICS v_written = ROW_COUNT;

    IF v_written = cardinality(p_ids) THEN
        INSERT INTO ledger_entry (transaction_id, line, account_id, currency, amount_minor, effective_at, created_at)
        SELECT p_ids[l.t], l.line, accounts[l.a], p_currencies[l.a], l.amount, p_effective[l.t], posted_at
        FROM unnest((SELECT p_line_transactions), p_line_numbers, p_line_accounts, p_line_amounts) AS l (t, line, a, amount);
        ids := '{}';
        existed := '{}';
        created_at := '{}';
        effective_at := '{}';
    ELSE
        IF v_written > 0 THEN
            INSERT INTO ledger_entry (transaction_id, line, account_id, currency, amount_minor, effective_at, created_at)
            SELECT p_ids[l.t], l.line, accounts[l.a], p_currencies[l.a], l.amount, p_effective[l.t], posted_at
            FROM unnest((SELECT p_line_transactions), p_line_numbers, p_line_accounts, p_line_amounts) AS l (t, line, a, amount)
            WHERE EXISTS (SELECT 1 FROM ledger_transaction t WHERE t.id = p_ids[l.t]);
        END IF;
        SELECT r.key, t.id INTO v_bad
        FROM unnest((SELECT p_ids), p_kinds, p_keys, p_references) WITH ORDINALITY AS r (id, kind, key, reference, n)
        CROSS JOIN LATERAL (SELECT * FROM ledger_transaction WHERE idempotency_key = r.key LIMIT 1) t
        WHERE t.id <> r.id
          AND ((t.kind, t.reference) IS DISTINCT FROM (r.kind, r.reference) OR t.reverses IS NOT NULL OR t.hold_id IS NOT NULL
               OR ARRAY(SELECT concat_ws(' ', e.account_id, e.currency, e.amount_minor) FROM ledger_entry e
                        WHERE e.transaction_id = t.id ORDER BY e.line)
                  IS DISTINCT FROM
                  ARRAY(SELECT concat_ws(' ', accounts[l.a], p_currencies[l.a], l.amount)
                        FROM unnest(p_line_transactions, p_line_numbers, p_line_accounts, p_line_amounts) AS l (t, line, a, amount)
                        WHERE l.t = r.n ORDER BY l.line))
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'the idempotency key belongs to another posting' USING ERRCODE = 'LD009',
                DETAIL = json_build_object('key', v_bad.key, 'transaction', v_bad.id);
        END IF;
        SELECT array_agg(t.id ORDER BY r.n), array_agg(t.id <> r.id ORDER BY r.n),
               array_agg(t.created_at ORDER BY r.n), array_agg(t.effective_at ORDER BY r.n)
        INTO ids, existed, created_at, effective_at
        FROM unnest((SELECT p_ids), p_keys) WITH ORDINALITY AS r (id, key, n)
        CROSS JOIN LATERAL (SELECT * FROM ledger_transaction WHERE idempotency_key = r.key LIMIT 1) t;
    END IF;

    SELECT array_agg(a.normal_side ORDER BY r.n), array_agg(b.posted ORDER BY r.n), array_agg(b.held_in ORDER BY r.n),
           array_agg(b.held_out ORDER BY r.n)
    INTO normal_sides, posted, held_in, held_out
    FROM unnest((SELECT accounts), v_striped) WITH ORDINALITY AS r (id, striped, n)
    CROSS JOIN LATERAL (SELECT normal_side FROM ledger_account WHERE id = r.id LIMIT 1) a
    LEFT JOIN LATERAL (SELECT * FROM ledger_balance WHERE account_id = r.id AND stripe = 0 AND NOT r.striped LIMIT 1) b ON true;
END $$;

-- Posts the mirror image of a transaction, once. The row lock lets the second of two concurrent reversals see the first.
CREATE FUNCTION ledger_reverse(
    p_original uuid, p_id uuid, p_key text, p_effective timestamptz, p_description text, p_metadata jsonb,
    OUT id uuid, OUT existed boolean, OUT created_at timestamptz, OUT effective_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    v_original ledger_transaction;
    v_other ledger_transaction;
    v_now timestamptz := clock_timestamp();
BEGIN
    SELECT t.* INTO v_original FROM ledger_transaction t WHERE t.id = p_original FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such transaction' USING ERRCODE = 'LD011', DETAIL = json_build_object('transaction', p_original);
    END IF;
    SELECT t.* INTO v_other FROM ledger_transaction t WHERE t.idempotency_key = p_key;
    IF FOUND AND v_other.reverses = p_original THEN
        id := v_other.id;
        existed := true;
        created_at := v_other.created_at;
        effective_at := v_other.effective_at;
        RETURN;
    ELSIF FOUND THEN
        RAISE EXCEPTION 'the idempotency key belongs to another posting' USING ERRCODE = 'LD009',
            DETAIL = json_build_object('key', p_key, 'transaction', v_other.id);
    END IF;
    SELECT t.* INTO v_other FROM ledger_transaction t WHERE t.reverses = p_original;
    IF FOUND THEN
        RAISE EXCEPTION 'the transaction is already reversed' USING ERRCODE = 'LD010',
            DETAIL = json_build_object('transaction', p_original, 'reversed_by', v_other.id);
    END IF;

    INSERT INTO ledger_transaction (id, kind, idempotency_key, reverses, effective_at, created_at, reference, description, metadata)
    VALUES (p_id, 'reversal', p_key, p_original, p_effective, v_now, v_original.reference, p_description, p_metadata)
    ON CONFLICT (idempotency_key) DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the idempotency key belongs to another posting' USING ERRCODE = 'LD009', DETAIL = json_build_object('key', p_key);
    END IF;
    INSERT INTO ledger_entry (transaction_id, line, account_id, currency, amount_minor, effective_at, created_at)
    SELECT p_id, e.line, e.account_id, e.currency, -e.amount_minor, p_effective, v_now
    FROM ledger_entry e WHERE e.transaction_id = p_original ORDER BY e.line;
    id := p_id;
    existed := false;
    created_at := v_now;
    effective_at := p_effective;
END $$;
