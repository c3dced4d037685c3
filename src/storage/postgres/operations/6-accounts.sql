-- Accounts, keys, the secret's check value, and the leases of nodes.

CREATE FUNCTION ops.accounts_ensure_key(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  known gateway.keys;
  account bigint;
  was_made boolean := false;
BEGIN
  SELECT * INTO known FROM gateway.keys WHERE hash = input->>'hash';
  IF NOT FOUND THEN
    IF (input->>'isOnlyFirst')::boolean THEN
      -- Nodes that start at once on an empty database make one key.
      PERFORM pg_advisory_xact_lock(7269118002);
      PERFORM 1 FROM gateway.keys LIMIT 1;
      IF FOUND THEN RETURN NULL; END IF;
    END IF;
    -- The e-mail address is the account's natural key: one account, however often this is asked.
    INSERT INTO gateway.accounts (name, email, billing, created_at)
      VALUES (input->>'accountName', input->>'email', input->>'billing', ops.now_ms())
      ON CONFLICT (email) DO NOTHING;
    SELECT id INTO account FROM gateway.accounts WHERE email = input->>'email';
    INSERT INTO gateway.balances (account_id) VALUES (account) ON CONFLICT DO NOTHING;
    INSERT INTO gateway.keys (id, account_id, name, hash, prefix, is_live, scopes, limits, created_at)
      VALUES (input->>'keyId', account, input->>'keyName', input->>'hash', input->>'prefix',
        (input->>'isLive')::boolean, input->>'scopes', '{}', ops.now_ms())
      ON CONFLICT (hash) DO NOTHING RETURNING * INTO known;
    was_made := FOUND;
    IF NOT was_made THEN SELECT * INTO known FROM gateway.keys WHERE hash = input->>'hash'; END IF;
  END IF;
  IF (input->>'grant')::bigint > 0 THEN
    PERFORM ops.ledger_adjust(jsonb_build_object('id', 'first-grant-' || known.account_id, 'accountId', known.account_id,
      'amount', (input->>'grant')::bigint, 'reason', 'first start', 'actor', 'start'));
  END IF;
  RETURN jsonb_build_object('accountId', known.account_id, 'keyId', known.id, 'created', was_made);
END $$;

CREATE FUNCTION ops.accounts_find_key(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT to_jsonb(k) || jsonb_build_object('is_expired', COALESCE(k.expires_at <= ops.now_ms(), false))
  FROM gateway.keys k WHERE k.hash = input->>'hash'
$$;

CREATE FUNCTION ops.accounts_keep_secret(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO gateway.meta (key, value) VALUES ('secret', input->>'candidate') ON CONFLICT DO NOTHING;
  RETURN (SELECT jsonb_build_object('stored', value) FROM gateway.meta WHERE key = 'secret');
END $$;

CREATE FUNCTION ops.accounts_secret_check(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO gateway.meta (key, value) VALUES ('secret_check', input->>'check') ON CONFLICT DO NOTHING;
  RETURN (SELECT jsonb_build_object('stored', value) FROM gateway.meta WHERE key = 'secret_check');
END $$;

CREATE FUNCTION ops.accounts_create(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE account bigint;
BEGIN
  INSERT INTO gateway.accounts (name, email, billing, concurrent_max, created_at)
    VALUES (input->>'name', input->>'email', input->>'billing', (input->>'concurrentMax')::int, ops.now_ms())
    ON CONFLICT (email) DO NOTHING RETURNING id INTO account;
  IF NOT FOUND THEN RETURN NULL; END IF;
  INSERT INTO gateway.balances (account_id) VALUES (account);
  PERFORM ops.write_audit(input->>'actor', 'accounts.create', account::text, jsonb_build_object('email', input->>'email'));
  RETURN jsonb_build_object('accountId', account);
END $$;

CREATE FUNCTION ops.accounts_list(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT COALESCE(jsonb_agg(to_jsonb(a) || to_jsonb(b) ORDER BY a.id), '[]'::jsonb)
  FROM gateway.accounts a JOIN gateway.balances b ON b.account_id = a.id
  WHERE input->>'accountId' IS NULL OR a.id = (input->>'accountId')::bigint
$$;

CREATE FUNCTION ops.accounts_update(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  UPDATE gateway.accounts SET billing = COALESCE(input->>'billing', billing),
      concurrent_max = CASE WHEN input ? 'concurrentMax' THEN (input->>'concurrentMax')::int ELSE concurrent_max END
    WHERE id = (input->>'accountId')::bigint;
  IF NOT FOUND THEN RETURN '{"found": false}'; END IF;
  PERFORM ops.write_audit(input->>'actor', 'accounts.update', input->>'accountId', input - 'actor');
  RETURN '{"found": true}';
END $$;

CREATE FUNCTION ops.keys_create(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM gateway.accounts WHERE id = (input->>'accountId')::bigint;
  IF NOT FOUND THEN RETURN '{"found": false}'; END IF;
  INSERT INTO gateway.keys (id, account_id, name, owner, hash, prefix, is_live, scopes, limits, created_at, expires_at)
    VALUES (input->>'keyId', (input->>'accountId')::bigint, input->>'name', input->>'owner', input->>'hash',
      input->>'prefix', (input->>'isLive')::boolean, input->>'scopes', input->>'limits', ops.now_ms(),
      ops.now_ms() + (input->>'expiresInMs')::bigint)
    ON CONFLICT (id) DO NOTHING;
  IF FOUND THEN
    PERFORM ops.write_audit(input->>'actor', 'keys.create', input->>'keyId', jsonb_build_object('name', input->>'name'));
  END IF;
  RETURN '{"found": true}';
END $$;

CREATE FUNCTION ops.keys_list(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT COALESCE(jsonb_agg(to_jsonb(k) || jsonb_build_object('is_expired', COALESCE(k.expires_at <= ops.now_ms(), false))
    ORDER BY k.created_at, k.id), '[]'::jsonb)
  FROM gateway.keys k WHERE input->>'accountId' IS NULL OR k.account_id = (input->>'accountId')::bigint
$$;

CREATE FUNCTION ops.keys_update(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE at bigint := ops.now_ms();
BEGIN
  UPDATE gateway.keys SET limits = COALESCE(input->>'limits', limits),
      revoked_at = CASE WHEN (input->>'isRevoked')::boolean THEN COALESCE(revoked_at, at) ELSE revoked_at END,
      expires_at = CASE WHEN input->>'expiresInMs' IS NULL THEN expires_at
        ELSE LEAST(COALESCE(expires_at, 9223372036854775807), at + (input->>'expiresInMs')::bigint) END
    WHERE id = input->>'keyId';
  IF NOT FOUND THEN RETURN '{"found": false}'; END IF;
  PERFORM ops.write_audit(input->>'actor', 'keys.update', input->>'keyId', input - 'actor' - 'keyId');
  RETURN '{"found": true}';
END $$;

CREATE FUNCTION ops.keys_touch(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  UPDATE gateway.keys SET last_used_at = ops.now_ms() WHERE id = input->>'keyId';
  RETURN '{}';
END $$;

CREATE FUNCTION ops.nodes_start(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE at bigint := ops.now_ms();
BEGIN
  DELETE FROM gateway.nodes n WHERE n.lease_until <= at AND n.id <> input->>'nodeId'
    AND NOT EXISTS (SELECT 1 FROM gateway.tasks t WHERE t.owner = n.id AND t.status = 'processing');
  INSERT INTO gateway.nodes (id, name, version, settings_hash, lease_until, started_at)
    VALUES (input->>'nodeId', input->>'name', input->>'version', input->>'settingsHash',
      at + (input->>'leaseMs')::bigint, at)
    ON CONFLICT (id) DO UPDATE SET lease_until = EXCLUDED.lease_until;
  RETURN '{}';
END $$;

CREATE FUNCTION ops.nodes_renew(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  at bigint := ops.now_ms();
  draining boolean;
BEGIN
  -- A lease that ran out is not revived: its tasks may be others' already.
  UPDATE gateway.nodes SET lease_until = at + (input->>'leaseMs')::bigint
    WHERE id = input->>'nodeId' AND lease_until > at RETURNING is_draining INTO draining;
  RETURN jsonb_build_object('lost', NOT FOUND, 'isDraining', COALESCE(draining, false));
END $$;

CREATE FUNCTION ops.nodes_list(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT COALESCE(jsonb_agg(to_jsonb(n) || jsonb_build_object('running',
      (SELECT count(*) FROM gateway.tasks t WHERE t.owner = n.id AND t.status = 'processing'))
    ORDER BY n.started_at, n.id), '[]'::jsonb)
  FROM gateway.nodes n WHERE n.lease_until > ops.now_ms()
$$;

CREATE FUNCTION ops.nodes_drain(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  UPDATE gateway.nodes SET is_draining = true WHERE id = input->>'nodeId';
  RETURN jsonb_build_object('found', FOUND);
END $$;

CREATE FUNCTION ops.nodes_stop(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  UPDATE gateway.nodes SET lease_until = 0 WHERE id = input->>'nodeId';
  RETURN '{}';
END $$;
