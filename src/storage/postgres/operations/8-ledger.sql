-- Money: holds at accept, one settlement at the end, grants, and what must always add up. Whoever moves money holds the
-- account's balance row: `run_batch` locks those of its calls before any task.

CREATE FUNCTION ops.lock_balances(accounts bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM gateway.balances WHERE account_id = ANY (accounts) ORDER BY account_id FOR NO KEY UPDATE;
END $$;

-- Balances come before tasks, as in `run_batch`: who locks tasks of many accounts locks their balances first.
CREATE FUNCTION ops.lock_balances_of(tasks text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ops.lock_balances(ARRAY(SELECT DISTINCT t.account_id FROM gateway.tasks t WHERE t.id = ANY (tasks)));
END $$;

CREATE FUNCTION ops.write_line(account bigint, subject text, kind text, from_pot text, to_pot text, amount bigint,
  reason text, at bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO gateway.ledger (account_id, subject_id, kind, from_pot, to_pot, amount, reason, created_at)
    VALUES (account, subject, kind, from_pot, to_pot, amount, reason, at)
$$;

CREATE FUNCTION ops.write_audit(actor text, action text, subject text, detail jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO gateway.audit_log (actor, action, subject, detail, created_at)
    VALUES (actor, action, subject, detail::text, ops.now_ms())
$$;

CREATE FUNCTION ops.running_of(account bigint, one_key text, at bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE running bigint;
BEGIN
  SELECT count(*) INTO running FROM gateway.tasks t WHERE t.account_id = account AND t.status IN ('pending', 'processing')
    AND (one_key IS NULL OR t.key_id = one_key);
  -- A cancelled task counts until its attempt has really ended, an hour at most.
  RETURN running + (SELECT count(*) FROM gateway.tasks t
    WHERE t.key_id IN (SELECT id FROM gateway.keys k WHERE k.account_id = account AND (one_key IS NULL OR k.id = one_key))
      AND t.error_code = 'canceled' AND t.finished_at > at - 3600000
      AND EXISTS (SELECT 1 FROM gateway.attempts a WHERE a.task_id = t.id AND a.finished_at IS NULL));
END $$;

-- What the key's or the account's limits say against a task, or null.
CREATE FUNCTION ops.limit_refusal(input jsonb, limits jsonb, account_max int, at bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  this_key text := input->>'keyId';
  price bigint := (input->>'hold')::bigint;
  nth bigint;
  used bigint;
  spend record;
BEGIN
  IF limits ? 'requestsPerMinute' THEN
    SELECT created_at INTO nth FROM gateway.tasks WHERE key_id = this_key AND created_at > at - 60000
      ORDER BY created_at DESC LIMIT 1 OFFSET (limits->>'requestsPerMinute')::int - 1;
    IF FOUND THEN
      RETURN jsonb_build_object('reason', 'key_rate', 'limit', limits->'requestsPerMinute',
        'retryAfterMs', GREATEST(1, nth + 60000 - at));
    END IF;
  END IF;
  IF limits ? 'concurrentTasks'
    AND ops.running_of((input->>'accountId')::bigint, this_key, at) >= (limits->>'concurrentTasks')::int THEN
    RETURN jsonb_build_object('reason', 'key_concurrent', 'limit', limits->'concurrentTasks');
  END IF;
  IF account_max IS NOT NULL AND ops.running_of((input->>'accountId')::bigint, NULL, at) >= account_max THEN
    RETURN jsonb_build_object('reason', 'account_concurrent', 'limit', account_max);
  END IF;
  IF price = 0 OR NOT limits ?| ARRAY['spendPerDay', 'spendPerMonth', 'spendTotal'] THEN RETURN NULL; END IF;
  FOR spend IN
    SELECT * FROM (VALUES
      ('key_day', (limits->>'spendPerDay')::bigint, (at / 86400000)::int),
      ('key_month', (limits->>'spendPerMonth')::bigint,
        (date_trunc('month', to_timestamp(at / 1000) AT TIME ZONE 'UTC')::date - DATE '1970-01-01')),
      ('key_total', (limits->>'spendTotal')::bigint, 0)) AS w (reason, most, since)
  LOOP
    CONTINUE WHEN spend.most IS NULL;
    SELECT COALESCE(sum(amount), 0) INTO used FROM gateway.key_days WHERE key_id = this_key AND day >= spend.since;
    IF used + price > spend.most THEN
      RETURN jsonb_build_object('reason', spend.reason, 'price', price, 'limit', spend.most, 'used', used);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- {refusal} or {short}: what stands against a task of this price, else what its account would have to be given.
CREATE FUNCTION ops.weigh(input jsonb, at bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  price bigint := (input->>'hold')::bigint;
  known record;
  refusal jsonb;
BEGIN
  SELECT a.billing, a.concurrent_max, k.limits, b.available INTO STRICT known
    FROM gateway.keys k JOIN gateway.accounts a ON a.id = k.account_id
    JOIN gateway.balances b ON b.account_id = k.account_id WHERE k.id = input->>'keyId';
  IF known.limits <> '{}' OR known.concurrent_max IS NOT NULL THEN
    refusal := ops.limit_refusal(input, known.limits::jsonb, known.concurrent_max, at);
  END IF;
  IF refusal IS NULL AND price > known.available AND known.billing <> 'track' THEN
    refusal := jsonb_build_object('reason', 'balance', 'price', price, 'available', known.available);
  END IF;
  RETURN jsonb_build_object('refusal', refusal, 'short', GREATEST(0, price - known.available));
END $$;

CREATE FUNCTION ops.ledger_check(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT NULLIF(ops.weigh(input, ops.now_ms())->'refusal', 'null'::jsonb)
$$;

-- What stands against this task, or null after its price has been set aside.
CREATE FUNCTION ops.hold(input jsonb, at bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  account bigint := (input->>'accountId')::bigint;
  price bigint := (input->>'hold')::bigint;
  weighed jsonb := ops.weigh(input, at);
  short bigint := (weighed->>'short')::bigint;
BEGIN
  IF weighed->>'refusal' IS NOT NULL THEN RETURN weighed->'refusal'; END IF;
  IF price = 0 THEN RETURN NULL; END IF;
  IF short > 0 THEN
    PERFORM ops.write_line(account, input->>'id', 'grant', 'granted', 'available', short, 'own use', at);
  END IF;
  PERFORM ops.write_line(account, input->>'id', 'hold', 'available', 'held', price, NULL, at);
  UPDATE gateway.balances SET available = available + short - price, held = held + price, granted = granted - short
    WHERE account_id = account;
  INSERT INTO gateway.key_days AS d (key_id, day, amount) VALUES (input->>'keyId', (at / 86400000)::int, price)
    ON CONFLICT (key_id, day) DO UPDATE SET amount = d.amount + EXCLUDED.amount;
  RETURN NULL;
END $$;

-- The one terminal movement of a task: captures what is charged and releases the rest.
CREATE FUNCTION ops.settle(t gateway.tasks, at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE released bigint := t.held - t.charged;
BEGIN
  INSERT INTO gateway.settlements (subject_id, account_id, held, charged, created_at)
    VALUES (t.id, t.account_id, t.held, t.charged, at);
  IF t.held = 0 THEN RETURN; END IF;
  IF t.charged > 0 THEN
    PERFORM ops.write_line(t.account_id, t.id, 'capture', 'held', 'revenue', t.charged, NULL, at);
  END IF;
  IF released > 0 THEN
    PERFORM ops.write_line(t.account_id, t.id, 'release', 'held', 'available', released, NULL, at);
    UPDATE gateway.key_days SET amount = amount - released
      WHERE key_id = t.key_id AND day = (t.created_at / 86400000)::int;
  END IF;
  UPDATE gateway.balances SET held = held - t.held, revenue = revenue + t.charged, available = available + released
    WHERE account_id = t.account_id;
END $$;

CREATE FUNCTION ops.ledger_balance(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT to_jsonb(b) || jsonb_build_object('used_today', (SELECT COALESCE(sum(d.amount), 0) FROM gateway.key_days d
      WHERE d.day = (ops.now_ms() / 86400000)::int AND d.key_id IN (SELECT k.id FROM gateway.keys k WHERE k.account_id = b.account_id)))
  FROM gateway.balances b WHERE b.account_id = (input->>'accountId')::bigint
$$;

CREATE FUNCTION ops.ledger_adjust(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  account bigint := (input->>'accountId')::bigint;
  change bigint := (input->>'amount')::bigint;
  line_kind text := CASE WHEN change > 0 THEN 'grant' ELSE 'adjust' END;
  left_over bigint;
BEGIN
  SELECT available INTO left_over FROM gateway.balances WHERE account_id = account FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN NULL; END IF;
  PERFORM 1 FROM gateway.ledger WHERE subject_id = input->>'id' AND kind = line_kind;
  IF FOUND THEN RETURN jsonb_build_object('kind', 'replayed', 'available', left_over); END IF;
  IF left_over + change < 0 THEN RETURN jsonb_build_object('kind', 'refused', 'available', left_over); END IF;
  PERFORM ops.write_line(account, input->>'id', line_kind,
    CASE WHEN change > 0 THEN 'granted' ELSE 'available' END,
    CASE WHEN change > 0 THEN 'available' ELSE 'granted' END, abs(change), input->>'reason', ops.now_ms());
  UPDATE gateway.balances SET available = available + change, granted = granted - change WHERE account_id = account;
  PERFORM ops.write_audit(input->>'actor', 'credits.adjust', account::text,
    jsonb_build_object('amount', change, 'reason', input->>'reason'));
  RETURN jsonb_build_object('kind', 'done', 'available', left_over + change);
END $$;

CREATE FUNCTION ops.ledger_statement(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT COALESCE(jsonb_agg(to_jsonb(l) ORDER BY l.seq DESC), '[]'::jsonb) FROM (
    SELECT * FROM gateway.ledger WHERE account_id = (input->>'accountId')::bigint
      AND seq < COALESCE((input->>'before')::bigint, 9223372036854775807)
    ORDER BY seq DESC LIMIT (input->>'limit')::int) l
$$;

CREATE FUNCTION ops.ledger_audit(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT COALESCE(jsonb_agg(to_jsonb(f)), '[]'::jsonb) FROM (
    SELECT * FROM (:ledger_checks) checks LIMIT (input->>'limit')::int) f
$$;
