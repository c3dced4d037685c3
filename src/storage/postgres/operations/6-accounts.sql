-- Accounts, keys, the secret's check value, and the leases of nodes.

CREATE FUNCTION ops.accounts_ensure_key(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  known gateway.keys;
  account bigint;
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
    INSERT INTO gateway.keys (id, account_id, name, hash, prefix, is_live, created_at)
      VALUES (input->>'keyId', account, input->>'keyName', input->>'hash', input->>'prefix',
        (input->>'isLive')::boolean, ops.now_ms())
      ON CONFLICT (hash) DO NOTHING RETURNING * INTO known;
    IF FOUND THEN
      RETURN jsonb_build_object('accountId', known.account_id, 'keyId', known.id, 'created', true);
    END IF;
    SELECT * INTO known FROM gateway.keys WHERE hash = input->>'hash';
  END IF;
  RETURN jsonb_build_object('accountId', known.account_id, 'keyId', known.id, 'created', false);
END $$;

CREATE FUNCTION ops.accounts_find_key(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT to_jsonb(k) FROM gateway.keys k WHERE k.hash = input->>'hash'
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
