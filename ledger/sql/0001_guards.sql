-- Rules that hold for every role, the owner included. SQLSTATEs are listed in ledger/domain/errors.py.

CREATE FUNCTION ledger_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION 'rows of the ledger are never changed or removed; post a reversal' USING ERRCODE = 'LD001';
END $$;

CREATE TRIGGER ledger_entry_immutable BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();

CREATE TRIGGER ledger_entry_truncate BEFORE TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

CREATE TRIGGER ledger_transaction_immutable BEFORE UPDATE OR DELETE ON ledger_transaction
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();

CREATE TRIGGER ledger_transaction_truncate BEFORE TRUNCATE ON ledger_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- An account's name, metadata, floor and closing may change; what its entries were checked against may not.
CREATE TRIGGER ledger_account_immutable BEFORE UPDATE ON ledger_account FOR EACH ROW
    WHEN ((OLD.id, OLD.path, OLD.currency, OLD.normal_side, OLD.stripes, OLD.account_id, OLD.created_at) IS DISTINCT FROM
          (NEW.id, NEW.path, NEW.currency, NEW.normal_side, NEW.stripes, NEW.account_id, NEW.created_at)
          OR (OLD.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at))
    EXECUTE FUNCTION ledger_refuse_change();

CREATE TRIGGER ledger_account_delete BEFORE DELETE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();

CREATE TRIGGER ledger_account_truncate BEFORE TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- The terms of a hold stand, what was posted or voided only grows, and a settled hold stays settled.
CREATE TRIGGER ledger_hold_immutable BEFORE UPDATE ON ledger_hold FOR EACH ROW
    WHEN ((OLD.id, OLD.source_account, OLD.destination_account, OLD.currency, OLD.amount_minor, OLD.idempotency_key) IS DISTINCT FROM
          (NEW.id, NEW.source_account, NEW.destination_account, NEW.currency, NEW.amount_minor, NEW.idempotency_key)
          OR NEW.posted_minor < OLD.posted_minor OR NEW.voided_minor < OLD.voided_minor OR OLD.state <> 'pending')
    EXECUTE FUNCTION ledger_refuse_change();

CREATE TRIGGER ledger_hold_delete BEFORE DELETE ON ledger_hold
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();

CREATE TRIGGER ledger_hold_truncate BEFORE TRUNCATE ON ledger_hold
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- Says which rule an account breaks, with the facts a caller may read as JSON in DETAIL.
CREATE FUNCTION ledger_refuse_account(p_id uuid, p_account ledger_account, p_currency char(3), p_available bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF p_account.id IS NULL THEN
        RAISE EXCEPTION 'no such account' USING ERRCODE = 'LD007', DETAIL = json_build_object('path', p_id);
    ELSIF p_account.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'the account is closed' USING ERRCODE = 'LD003', DETAIL = json_build_object('path', p_account.path);
    ELSIF p_account.currency <> p_currency THEN
        RAISE EXCEPTION 'the line has another currency than its account' USING ERRCODE = 'LD008',
            DETAIL = json_build_object('path', p_account.path, 'currency', p_account.currency, 'line_currency', p_currency);
    END IF;
    RAISE EXCEPTION 'the account would fall below its floor' USING ERRCODE = 'LD004',
        DETAIL = json_build_object('path', p_account.path, 'currency', p_account.currency, 'floor', p_account.floor_minor,
                                   'available_after', p_available);
END $$;

-- Every line of a transaction arrives in one INSERT. Here it is checked and the balances are written.
-- Lookups are LATERAL … LIMIT 1 with sequential scans off: a plan cached while the tables were small must stay an index
-- lookup per row when they have grown.
CREATE FUNCTION ledger_entry_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
SET enable_seqscan = off AS $$
DECLARE
    v_bad record;
    v_sum record;
BEGIN
    -- Per transaction: it was created by this database transaction (no late lines) and shares its times; its lines are
    -- 1..n, so that a second INSERT for it collides on the primary key; they are two or more and sum to zero per currency.
    SELECT n.transaction_id, count(*) AS lines, min(n.line) AS first_line, max(n.line) AS last_line,
           bool_and((t.xid = pg_current_xact_id() AND n.xid = t.xid) IS TRUE) AS fresh,
           bool_and(n.effective_at = t.effective_at AND n.created_at = t.created_at) AS dated,
           min(n.currency) AS first_currency, max(n.currency) AS last_currency, sum(n.amount_minor) AS total INTO v_bad
    FROM new_rows n
    LEFT JOIN LATERAL (SELECT * FROM ledger_transaction WHERE id = n.transaction_id LIMIT 1) t ON true
    GROUP BY n.transaction_id
    HAVING count(*) < 2 OR min(n.line) <> 1 OR max(n.line) <> count(*)
        OR NOT bool_and((t.xid = pg_current_xact_id() AND n.xid = t.xid AND n.effective_at = t.effective_at
                         AND n.created_at = t.created_at) IS TRUE)
        OR CASE WHEN min(n.currency) = max(n.currency) THEN sum(n.amount_minor) <> 0
                ELSE EXISTS (SELECT 1 FROM new_rows o WHERE o.transaction_id = n.transaction_id
                             GROUP BY o.currency HAVING sum(o.amount_minor) <> 0) END
    LIMIT 1;
    IF FOUND THEN
        IF NOT v_bad.fresh THEN
            RAISE EXCEPTION 'lines for a transaction that this database transaction did not create' USING ERRCODE = 'LD002',
                DETAIL = json_build_object('transaction', v_bad.transaction_id);
        ELSIF v_bad.lines < 2 THEN
            RAISE EXCEPTION 'a transaction needs at least two lines' USING ERRCODE = 'LD005',
                DETAIL = json_build_object('transaction', v_bad.transaction_id, 'lines', v_bad.lines);
        ELSIF v_bad.first_line <> 1 OR v_bad.last_line <> v_bad.lines OR NOT v_bad.dated THEN
            RAISE EXCEPTION 'lines are numbered from 1 and share the times of their transaction' USING ERRCODE = 'LD018',
                DETAIL = json_build_object('transaction', v_bad.transaction_id);
        END IF;
        SELECT o.currency, sum(o.amount_minor) AS difference INTO STRICT v_sum
        FROM new_rows o WHERE o.transaction_id = v_bad.transaction_id
        GROUP BY o.currency HAVING sum(o.amount_minor) <> 0 ORDER BY o.currency LIMIT 1;
        RAISE EXCEPTION 'the lines do not sum to zero' USING ERRCODE = 'LD006',
            DETAIL = json_build_object('currency', v_sum.currency, 'difference', v_sum.difference);
    END IF;

    -- The only place where posted changes. Rows are locked by account id, so that postings cannot deadlock.
    INSERT INTO ledger_balance AS b (account_id, stripe, posted)
    SELECT a.id, CASE WHEN a.stripes = 1 THEN 0 ELSE pg_backend_pid() % a.stripes END, n.delta
    FROM (SELECT account_id, sum(amount_minor)::bigint AS delta FROM new_rows GROUP BY account_id) n
    CROSS JOIN LATERAL (SELECT id, stripes FROM ledger_account WHERE id = n.account_id LIMIT 1) a
    ORDER BY a.id
    ON CONFLICT (account_id, stripe) DO UPDATE SET posted = b.posted + excluded.posted;

    -- After the locks, so that a close or a new floor that committed meanwhile is seen. A line that posts a hold does not
    -- lower what is available: its amount was already set aside, and the second branch takes it out of the comparison.
    SELECT n.account_id, a.row AS account, CASE WHEN a.currency = n.low THEN n.high ELSE n.low END AS currency,
           CASE a.normal_side WHEN 'credit' THEN b.posted ELSE -b.posted END - b.held_out AS available INTO v_bad
    FROM (SELECT m.account_id, min(m.currency) AS low, max(m.currency) AS high, sum(m.amount_minor) AS delta
          FROM (SELECT account_id, currency, amount_minor FROM new_rows
                UNION ALL
                SELECT side.account_id, h.currency, side.amount_minor
                FROM (SELECT DISTINCT transaction_id FROM new_rows) n
                CROSS JOIN LATERAL (SELECT hold_id, hold_minor FROM ledger_transaction
                                    WHERE id = n.transaction_id AND hold_id IS NOT NULL LIMIT 1) t
                CROSS JOIN LATERAL (SELECT * FROM ledger_hold WHERE id = t.hold_id LIMIT 1) h
                CROSS JOIN LATERAL (VALUES (h.source_account, t.hold_minor), (h.destination_account, -t.hold_minor))
                     AS side (account_id, amount_minor)) m
          GROUP BY m.account_id) n
    LEFT JOIN LATERAL (SELECT x AS row, x.* FROM ledger_account x WHERE id = n.account_id LIMIT 1) a ON true
    LEFT JOIN LATERAL (SELECT * FROM ledger_balance WHERE account_id = n.account_id AND stripe = 0 LIMIT 1) b ON true
    WHERE a.id IS NULL OR a.closed_at IS NOT NULL OR a.currency <> n.low OR a.currency <> n.high
       OR (a.floor_minor IS NOT NULL
           AND CASE a.normal_side WHEN 'credit' THEN n.delta < 0 AND b.posted - b.held_out < a.floor_minor
                                  ELSE n.delta > 0 AND -b.posted - b.held_out < a.floor_minor END)
    ORDER BY n.account_id LIMIT 1;
    IF FOUND THEN
        PERFORM ledger_refuse_account(v_bad.account_id, v_bad.account, v_bad.currency, v_bad.available);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_entry_written AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_entry_written();

-- The backstop at commit: a transaction without lines never reaches the check above.
CREATE FUNCTION ledger_transaction_closed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    v_lines bigint;
    v_balanced boolean;
BEGIN
    SELECT sum(g.lines), bool_and(g.total = 0) INTO v_lines, v_balanced
    FROM (SELECT count(*) AS lines, sum(amount_minor) AS total FROM ledger_entry
          WHERE transaction_id = NEW.id GROUP BY currency) g;
    IF coalesce(v_lines, 0) < 2 THEN
        RAISE EXCEPTION 'a transaction needs at least two lines' USING ERRCODE = 'LD005',
            DETAIL = json_build_object('transaction', NEW.id, 'lines', coalesce(v_lines, 0));
    ELSIF NOT v_balanced THEN
        RAISE EXCEPTION 'the lines do not sum to zero' USING ERRCODE = 'LD006', DETAIL = json_build_object('transaction', NEW.id);
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_transaction_closed AFTER INSERT ON ledger_transaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transaction_closed();
