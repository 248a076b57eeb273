-- Must be empty. `expected` is what the entries and holds say, `actual` what the projection says.
CREATE VIEW ledger_drift AS
SELECT 'posted' AS fault, account_id AS subject, coalesce(e.total, 0) AS expected, coalesce(b.total, 0) AS actual
FROM (SELECT account_id, sum(amount_minor) AS total FROM ledger_entry GROUP BY account_id) e
FULL JOIN (SELECT account_id, sum(posted) AS total FROM ledger_balance GROUP BY account_id) b USING (account_id)
WHERE coalesce(e.total, 0) <> coalesce(b.total, 0)
UNION ALL
SELECT CASE WHEN outgoing THEN 'held_out' ELSE 'held_in' END, account_id, coalesce(h.total, 0), coalesce(b.total, 0)
FROM (SELECT a.id AS account_id, (a.id = h.source_account) = (a.normal_side = 'credit') AS outgoing,
             sum(h.amount_minor - h.posted_minor - h.voided_minor) AS total
      FROM ledger_hold h JOIN ledger_account a ON a.id IN (h.source_account, h.destination_account)
      WHERE h.state = 'pending' GROUP BY 1, 2) h
FULL JOIN (SELECT account_id, side.outgoing, sum(side.amount) AS total
           FROM ledger_balance CROSS JOIN LATERAL (VALUES (false, held_in), (true, held_out)) AS side (outgoing, amount)
           GROUP BY 1, 2) b USING (account_id, outgoing)
WHERE coalesce(h.total, 0) <> coalesce(b.total, 0)
UNION ALL
SELECT 'transaction', g.id, 0, max(abs(g.total)) + CASE WHEN sum(g.lines) < 2 THEN 1 ELSE 0 END
FROM (SELECT t.id, e.currency, coalesce(sum(e.amount_minor), 0) AS total, count(e.line) AS lines
      FROM ledger_transaction t LEFT JOIN ledger_entry e ON e.transaction_id = t.id GROUP BY t.id, e.currency) g
GROUP BY g.id HAVING bool_or(g.total <> 0) OR sum(g.lines) < 2
UNION ALL
SELECT 'currency', NULL, 0, sum(amount_minor) FROM ledger_entry GROUP BY currency HAVING sum(amount_minor) <> 0
UNION ALL
SELECT 'orphan', e.transaction_id, 0, count(*)
FROM ledger_entry e LEFT JOIN ledger_transaction t ON t.id = e.transaction_id
LEFT JOIN ledger_account a ON a.id = e.account_id
WHERE t.id IS NULL OR a.id IS NULL OR a.currency <> e.currency OR t.effective_at <> e.effective_at OR t.created_at <> e.created_at
GROUP BY e.transaction_id
UNION ALL
SELECT 'hold', h.id, coalesce(sum(t.hold_minor), 0), h.posted_minor
FROM ledger_hold h LEFT JOIN ledger_transaction t ON t.hold_id = h.id
GROUP BY h.id HAVING coalesce(sum(t.hold_minor), 0) <> h.posted_minor;
