-- Times are integer milliseconds since the epoch, JSON is text, money is integer micro-cents.

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE,
  billing TEXT NOT NULL CHECK (billing IN ('prepaid', 'track')),
  concurrent_max INTEGER CHECK (concurrent_max >= 1),
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  prefix TEXT NOT NULL,
  is_live INTEGER NOT NULL CHECK (is_live IN (0, 1)),
  owner TEXT,
  scopes TEXT NOT NULL,
  limits TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT;

CREATE INDEX keys_by_account ON keys (account_id, created_at);

-- Double entry: a line moves an amount from one pot of an account to another. "granted" is where money comes from, so it
-- may go below zero; "available" and "held" may not.
CREATE TABLE balances (
  account_id INTEGER PRIMARY KEY REFERENCES accounts (id),
  available INTEGER NOT NULL DEFAULT 0 CHECK (available >= 0),
  held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
  revenue INTEGER NOT NULL DEFAULT 0 CHECK (revenue >= 0),
  granted INTEGER NOT NULL DEFAULT 0,
  CHECK (available + held + revenue + granted = 0)
) STRICT;

CREATE TABLE ledger (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  subject_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('grant', 'adjust', 'hold', 'capture', 'release')),
  from_pot TEXT NOT NULL CHECK (from_pot IN ('available', 'held', 'granted')),
  to_pot TEXT NOT NULL CHECK (to_pot IN ('available', 'held', 'granted', 'revenue') AND to_pot <> from_pot),
  amount INTEGER NOT NULL CHECK (amount > 0),
  reason TEXT,
  created_at INTEGER NOT NULL
) STRICT;

-- Nothing is held, captured, released or granted twice, whatever code is at work.
CREATE UNIQUE INDEX ledger_once ON ledger (subject_id, kind);
CREATE INDEX ledger_by_account ON ledger (account_id, seq);

CREATE TRIGGER ledger_keeps_lines BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_keeps_amounts BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- The one terminal movement of a task. A sandbox task has one without lines.
CREATE TABLE settlements (
  subject_id TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  held INTEGER NOT NULL CHECK (held >= 0),
  charged INTEGER NOT NULL CHECK (charged BETWEEN 0 AND held),
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a key spent or holds, by the UTC day (since 1970) of the accept.
CREATE TABLE key_days (
  key_id TEXT NOT NULL REFERENCES keys (id),
  day INTEGER NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (key_id, day)
) STRICT, WITHOUT ROWID;

-- Who changed accounts, keys and credits.
CREATE TABLE audit_log (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- A dead node's row stays until no task names it: takeover looks for tasks by their dead owners.
CREATE TABLE nodes (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  settings_hash TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  is_draining INTEGER NOT NULL DEFAULT 0 CHECK (is_draining IN (0, 1))
) STRICT;

CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  key_id TEXT NOT NULL REFERENCES keys (id),
  is_live INTEGER NOT NULL CHECK (is_live IN (0, 1)),
  lane TEXT NOT NULL CHECK (lane IN ('built_in', 'upstream')),
  service TEXT NOT NULL,
  action TEXT NOT NULL,
  model TEXT NOT NULL,
  model_as_sent TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
  error_code TEXT,
  error_message TEXT,
  params TEXT NOT NULL,
  output_count INTEGER NOT NULL CHECK (output_count >= 1),
  interpretation TEXT NOT NULL,
  warnings TEXT NOT NULL,
  quote TEXT NOT NULL,
  held INTEGER NOT NULL CHECK (held >= 0),
  charged INTEGER CHECK (charged BETWEEN 0 AND held),
  provider TEXT,
  client_request_id TEXT,
  callback_url TEXT,
  owner TEXT,
  claim INTEGER NOT NULL DEFAULT 0,
  lost_count INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  deadline_at INTEGER NOT NULL,
  finished_at INTEGER,
  outputs_expired_at INTEGER,
  CHECK ((status = 'failed') = (error_code IS NOT NULL)),
  CHECK ((status IN ('completed', 'failed')) = (finished_at IS NOT NULL)),
  CHECK ((status IN ('completed', 'failed')) = (charged IS NOT NULL)),
  CHECK (status <> 'failed' OR charged = 0)
) STRICT;

CREATE INDEX tasks_by_account ON tasks (account_id, created_at, id);
CREATE INDEX tasks_by_client_request ON tasks (account_id, client_request_id, created_at, id)
  WHERE client_request_id IS NOT NULL;
CREATE INDEX tasks_pending ON tasks (lane, created_at, id) WHERE status = 'pending';
CREATE INDEX tasks_processing ON tasks (owner, lane) WHERE status = 'processing';
CREATE INDEX tasks_deadline ON tasks (deadline_at) WHERE status IN ('pending', 'processing');
CREATE INDEX tasks_finished ON tasks (lane, finished_at) WHERE finished_at IS NOT NULL;

CREATE INDEX tasks_by_key ON tasks (key_id, created_at);
CREATE INDEX tasks_open ON tasks (account_id, key_id) WHERE status IN ('pending', 'processing');
CREATE INDEX tasks_canceled ON tasks (key_id, finished_at) WHERE error_code = 'canceled';

-- The part of a task that can be erased without touching its row.
CREATE TABLE task_inputs (
  task_id TEXT PRIMARY KEY REFERENCES tasks (id),
  prompt TEXT NOT NULL,
  sources TEXT NOT NULL,
  mask TEXT
) STRICT;

-- Which stored blobs the inputs name, so that the sweep need not read them.
CREATE TABLE input_blobs (
  blob_key TEXT PRIMARY KEY,
  task_id TEXT NOT NULL REFERENCES tasks (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX input_blobs_by_task ON input_blobs (task_id);

CREATE TABLE idempotency (
  account_id INTEGER NOT NULL,
  is_live INTEGER NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  task_id TEXT NOT NULL REFERENCES tasks (id),
  PRIMARY KEY (account_id, is_live, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  task_id TEXT NOT NULL REFERENCES tasks (id),
  number INTEGER NOT NULL,
  provider TEXT NOT NULL,
  state TEXT NOT NULL
    CHECK (state IN ('started', 'submitted', 'succeeded', 'failed', 'uncertain', 'discarded')),
  claim INTEGER NOT NULL,
  handle TEXT,
  failure_class TEXT,
  detail TEXT,
  upstream_cost INTEGER,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  PRIMARY KEY (task_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE outputs (
  task_id TEXT NOT NULL REFERENCES tasks (id),
  idx INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  token TEXT NOT NULL UNIQUE,
  blob_key TEXT NOT NULL UNIQUE,
  content_type TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  processed TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  expired INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (task_id, idx)
) STRICT;

CREATE INDEX outputs_expiry ON outputs (expires_at) WHERE expired = 0;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT NOT NULL REFERENCES tasks (id),
  type TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX events_by_task ON events (task_id, seq);
-- A task ends once, whatever code is at work.
CREATE UNIQUE INDEX events_one_end ON events (task_id)
  WHERE type IN ('task.completed', 'task.failed');

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
