-- The tables of SQLite's 0001_init.sql in PostgreSQL's words. Times are integer milliseconds since the epoch, JSON is
-- text, money is integer micro-cents. Everything lives in the schema `gateway`.

CREATE TABLE gateway.accounts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL UNIQUE,
  billing text NOT NULL CHECK (billing IN ('prepaid', 'track')),
  concurrent_max int CHECK (concurrent_max >= 1),
  created_at bigint NOT NULL
);

CREATE TABLE gateway.keys (
  id text PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES gateway.accounts (id),
  name text NOT NULL,
  hash text NOT NULL UNIQUE,
  prefix text NOT NULL,
  is_live boolean NOT NULL,
  owner text,
  scopes text NOT NULL,
  limits text NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint,
  last_used_at bigint,
  revoked_at bigint
);

CREATE INDEX keys_by_account ON gateway.keys (account_id, created_at);

-- Double entry: a line moves an amount from one pot of an account to another. "granted" is where money comes from, so it
-- may go below zero; "available" and "held" may not.
CREATE TABLE gateway.balances (
  account_id bigint PRIMARY KEY REFERENCES gateway.accounts (id),
  available bigint NOT NULL DEFAULT 0 CHECK (available >= 0),
  held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
  revenue bigint NOT NULL DEFAULT 0 CHECK (revenue >= 0),
  granted bigint NOT NULL DEFAULT 0,
  CHECK (available + held + revenue + granted = 0)
) WITH (fillfactor = 50);

CREATE TABLE gateway.ledger (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES gateway.accounts (id),
  subject_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('grant', 'adjust', 'hold', 'capture', 'release')),
  from_pot text NOT NULL CHECK (from_pot IN ('available', 'held', 'granted')),
  to_pot text NOT NULL CHECK (to_pot IN ('available', 'held', 'granted', 'revenue') AND to_pot <> from_pot),
  amount bigint NOT NULL CHECK (amount > 0),
  reason text,
  created_at bigint NOT NULL
);

-- Nothing is held, captured, released or granted twice, whatever code is at work.
CREATE UNIQUE INDEX ledger_once ON gateway.ledger (subject_id, kind);
CREATE INDEX ledger_by_account ON gateway.ledger (account_id, seq);

CREATE FUNCTION gateway.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only';
END $$;

CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON gateway.ledger
  FOR EACH ROW EXECUTE FUNCTION gateway.refuse_change();

-- The one terminal movement of a task. A sandbox task has one without lines.
CREATE TABLE gateway.settlements (
  subject_id text PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES gateway.accounts (id),
  held bigint NOT NULL CHECK (held >= 0),
  charged bigint NOT NULL CHECK (charged BETWEEN 0 AND held),
  created_at bigint NOT NULL
);

-- What a key spent or holds, by the UTC day (since 1970) of the accept.
CREATE TABLE gateway.key_days (
  key_id text NOT NULL REFERENCES gateway.keys (id),
  day int NOT NULL,
  amount bigint NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (key_id, day)
) WITH (fillfactor = 50);

-- Who changed accounts, keys and credits.
CREATE TABLE gateway.audit_log (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  detail text NOT NULL,
  created_at bigint NOT NULL
);

-- A dead node's row stays until no task names it: takeover looks for tasks by their dead owners.
CREATE TABLE gateway.nodes (
  id text PRIMARY KEY,
  name text NOT NULL,
  version text NOT NULL,
  settings_hash text NOT NULL,
  lease_until bigint NOT NULL,
  started_at bigint NOT NULL,
  is_draining boolean NOT NULL DEFAULT false
);

CREATE TABLE gateway.tasks (
  id text PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES gateway.accounts (id),
  key_id text NOT NULL REFERENCES gateway.keys (id),
  is_live boolean NOT NULL,
  lane text NOT NULL CHECK (lane IN ('built_in', 'upstream')),
  service text NOT NULL,
  action text NOT NULL,
  model text NOT NULL,
  model_as_sent text NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
  error_code text,
  error_message text,
  params text NOT NULL,
  output_count integer NOT NULL CHECK (output_count >= 1),
  interpretation text NOT NULL,
  warnings text NOT NULL,
  quote text NOT NULL,
  held bigint NOT NULL CHECK (held >= 0),
  charged bigint CHECK (charged BETWEEN 0 AND held),
  provider text,
  client_request_id text,
  callback_url text,
  owner text,
  claim integer NOT NULL DEFAULT 0,
  -- The call that claimed it, so that a claim whose answer was lost finds its own tasks again.
  claimed_by text,
  lost_count integer NOT NULL DEFAULT 0,
  created_at bigint NOT NULL,
  deadline_at bigint NOT NULL,
  finished_at bigint,
  outputs_expired_at bigint,
  CHECK ((status = 'failed') = (error_code IS NOT NULL)),
  CHECK ((status IN ('completed', 'failed')) = (finished_at IS NOT NULL)),
  CHECK ((status IN ('completed', 'failed')) = (charged IS NOT NULL)),
  CHECK (status <> 'failed' OR charged = 0)
) WITH (fillfactor = 80);

CREATE INDEX tasks_by_account ON gateway.tasks (account_id, created_at, id);
CREATE INDEX tasks_by_client_request ON gateway.tasks (account_id, client_request_id, created_at, id)
  WHERE client_request_id IS NOT NULL;
CREATE INDEX tasks_pending ON gateway.tasks (lane, created_at, id) WHERE status = 'pending';
CREATE INDEX tasks_processing ON gateway.tasks (owner, lane, claimed_by) WHERE status = 'processing';
CREATE INDEX tasks_deadline ON gateway.tasks (deadline_at) WHERE status IN ('pending', 'processing');
CREATE INDEX tasks_finished ON gateway.tasks (lane, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX tasks_by_key ON gateway.tasks (key_id, created_at);
CREATE INDEX tasks_open ON gateway.tasks (account_id, key_id) WHERE status IN ('pending', 'processing');
CREATE INDEX tasks_canceled ON gateway.tasks (key_id, finished_at) WHERE error_code = 'canceled';

CREATE TABLE gateway.task_inputs (
  task_id text PRIMARY KEY REFERENCES gateway.tasks (id),
  prompt text NOT NULL,
  sources text NOT NULL,
  mask text
);

CREATE TABLE gateway.input_blobs (
  blob_key text PRIMARY KEY,
  task_id text NOT NULL REFERENCES gateway.tasks (id)
);

CREATE INDEX input_blobs_by_task ON gateway.input_blobs (task_id);

-- The task is written after its record, in the same transaction: the record decides whether there will be one.
CREATE TABLE gateway.idempotency (
  account_id bigint NOT NULL,
  is_live boolean NOT NULL,
  key text NOT NULL,
  fingerprint text NOT NULL,
  task_id text NOT NULL REFERENCES gateway.tasks (id) DEFERRABLE INITIALLY DEFERRED,
  PRIMARY KEY (account_id, is_live, key)
);

CREATE TABLE gateway.attempts (
  task_id text NOT NULL REFERENCES gateway.tasks (id),
  number integer NOT NULL,
  provider text NOT NULL,
  state text NOT NULL
    CHECK (state IN ('started', 'submitted', 'succeeded', 'failed', 'uncertain', 'discarded')),
  claim integer NOT NULL,
  handle text,
  failure_class text,
  detail text,
  upstream_cost bigint,
  started_at bigint NOT NULL,
  finished_at bigint,
  PRIMARY KEY (task_id, number)
);

CREATE TABLE gateway.outputs (
  task_id text NOT NULL REFERENCES gateway.tasks (id),
  idx integer NOT NULL,
  attempt integer NOT NULL,
  token text NOT NULL UNIQUE,
  blob_key text NOT NULL UNIQUE,
  content_type text NOT NULL,
  width integer NOT NULL,
  height integer NOT NULL,
  size_bytes bigint NOT NULL,
  sha256 text NOT NULL,
  processed text NOT NULL,
  expires_at bigint NOT NULL,
  expired boolean NOT NULL DEFAULT false,
  PRIMARY KEY (task_id, idx)
);

CREATE INDEX outputs_expiry ON gateway.outputs (expires_at) WHERE NOT expired;

CREATE TABLE gateway.events (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task_id text NOT NULL REFERENCES gateway.tasks (id),
  type text NOT NULL,
  created_at bigint NOT NULL
);

CREATE INDEX events_by_task ON gateway.events (task_id, seq);
-- A task ends once, whatever code is at work.
CREATE UNIQUE INDEX events_one_end ON gateway.events (task_id)
  WHERE type IN ('task.completed', 'task.failed');

CREATE TABLE gateway.meta (
  key text PRIMARY KEY,
  value text NOT NULL
);
