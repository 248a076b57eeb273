-- Amounts are signed minor units: credit +, debit -. Ids are UUIDv7 made by the application.

CREATE TABLE ledger_account (
    id uuid PRIMARY KEY,
    path varchar(255) NOT NULL UNIQUE CHECK (path ~ '^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)*$'),
    name varchar(255) NOT NULL DEFAULT '',
    currency char(3) NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    normal_side varchar(6) NOT NULL CHECK (normal_side IN ('debit', 'credit')),
    floor_minor bigint,
    stripes smallint NOT NULL DEFAULT 1 CHECK (stripes BETWEEN 1 AND 64),
    account_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz,
    CHECK (floor_minor IS NULL OR stripes = 1)
);

CREATE INDEX ledger_account_owner ON ledger_account (account_id, id);

-- hold_id and hold_minor: what this transaction takes out of a hold. Together they are the hold's movements.
CREATE TABLE ledger_transaction (
    id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind varchar(64) NOT NULL,
    idempotency_key varchar(255) NOT NULL UNIQUE,
    reverses uuid UNIQUE REFERENCES ledger_transaction (id),
    hold_id uuid,
    hold_minor bigint,
    effective_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    description text NOT NULL DEFAULT '',
    reference varchar(255) NOT NULL DEFAULT '',
    metadata jsonb NOT NULL DEFAULT '{}',
    CHECK ((hold_id IS NULL) = (hold_minor IS NULL) AND hold_minor > 0)
);

CREATE INDEX ledger_transaction_reference ON ledger_transaction (reference, id) WHERE reference <> '';

CREATE INDEX ledger_transaction_hold ON ledger_transaction (hold_id) WHERE hold_id IS NOT NULL;

-- No foreign keys: the insert trigger proves that transaction and account exist, once per statement instead of per line.
CREATE TABLE ledger_entry (
    transaction_id uuid NOT NULL,
    line integer NOT NULL,
    account_id uuid NOT NULL,
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0 AND abs(amount_minor) <= 999999999999),
    effective_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (transaction_id, line)
);

CREATE INDEX ledger_entry_account ON ledger_entry (account_id, transaction_id);

CREATE INDEX ledger_entry_effective ON ledger_entry (account_id, effective_at) INCLUDE (amount_minor);

CREATE INDEX ledger_entry_created ON ledger_entry (account_id, created_at) INCLUDE (amount_minor);

-- A projection of entries and pending holds. Half-empty pages keep its updates heap-only.
CREATE TABLE ledger_balance (
    account_id uuid NOT NULL,
    stripe smallint NOT NULL DEFAULT 0,
    posted bigint NOT NULL DEFAULT 0,
    held_in bigint NOT NULL DEFAULT 0,
    held_out bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, stripe)
) WITH (fillfactor = 50);

-- Money promised from the source account (debited when posted) to the destination account (credited when posted).
CREATE TABLE ledger_hold (
    id uuid PRIMARY KEY,
    source_account uuid NOT NULL,
    destination_account uuid NOT NULL CHECK (destination_account <> source_account),
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 999999999999),
    posted_minor bigint NOT NULL DEFAULT 0 CHECK (posted_minor >= 0),
    voided_minor bigint NOT NULL DEFAULT 0 CHECK (voided_minor >= 0),
    state varchar(7) NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'posted', 'voided')),
    void_reason varchar(64) NOT NULL DEFAULT '',
    expires_at timestamptz,
    description text NOT NULL DEFAULT '',
    reference varchar(255) NOT NULL DEFAULT '',
    idempotency_key varchar(255) NOT NULL UNIQUE,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (posted_minor + voided_minor <= amount_minor),
    CHECK ((state = 'pending') = (posted_minor + voided_minor < amount_minor)),
    CHECK (state <> 'posted' OR posted_minor > 0)
);

CREATE INDEX ledger_hold_reference ON ledger_hold (reference, id) WHERE reference <> '';

CREATE INDEX ledger_hold_pending ON ledger_hold (expires_at, id) WHERE state = 'pending';
