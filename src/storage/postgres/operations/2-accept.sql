-- Accepting, replaying, reading and listing tasks.

CREATE FUNCTION ops.tasks_find_replay(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('fingerprint', i.fingerprint, 'task', ops.task_by_id(i.task_id))
  FROM gateway.idempotency i
  WHERE i.account_id = (input->>'accountId')::bigint AND i.is_live = (input->>'isLive')::boolean
    AND i.key = input->>'key'
$$;

CREATE FUNCTION ops.tasks_accept(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  at bigint := ops.now_ms();
  new_id text := input->>'id';
  t gateway.tasks;
  replay jsonb;
  refusal jsonb;
BEGIN
  -- The same call again, because the answer to its commit was lost.
  SELECT * INTO t FROM gateway.tasks WHERE id = new_id;
  IF FOUND THEN RETURN jsonb_build_object('kind', 'accepted', 'task', ops.task_json(t)); END IF;
  IF input->>'key' IS NOT NULL THEN
    replay := ops.tasks_find_replay(input);
    IF replay IS NOT NULL THEN RETURN jsonb_build_object('kind', 'replayed') || replay; END IF;
  END IF;
  refusal := ops.hold(input, at);
  IF refusal IS NOT NULL THEN RETURN jsonb_build_object('kind', 'refused', 'refusal', refusal); END IF;
  IF input->>'key' IS NOT NULL THEN
    -- The account's balance is locked, so no other accept with this key is under way.
    INSERT INTO gateway.idempotency (account_id, is_live, key, fingerprint, task_id)
      VALUES ((input->>'accountId')::bigint, (input->>'isLive')::boolean, input->>'key',
        input->>'fingerprint', new_id);
  END IF;
  INSERT INTO gateway.tasks (id, account_id, key_id, is_live, lane, service, action, model, model_as_sent, status,
      params, output_count, interpretation, warnings, quote, held, client_request_id, callback_url, created_at, deadline_at)
    VALUES (new_id, (input->>'accountId')::bigint, input->>'keyId', (input->>'isLive')::boolean, input->>'lane',
      input->>'service', input->>'action', input->>'model', input->>'modelAsSent', 'pending',
      input->>'params', (input->>'outputCount')::int, input->>'interpretation', input->>'warnings',
      input->>'quote', (input->>'hold')::bigint, input->>'clientRequestId', input->>'callbackUrl', at, at + (input->>'deadlineMs')::bigint)
    RETURNING * INTO t;
  INSERT INTO gateway.task_inputs (task_id, prompt, sources, mask)
    VALUES (new_id, input->>'prompt', input->>'sources', input->>'mask');
  IF input->'blobKeys' <> '[]'::jsonb THEN
    PERFORM ops.name_blobs(new_id, input->'blobKeys');
  END IF;
  INSERT INTO gateway.events (task_id, type, created_at) VALUES (new_id, 'task.pending', at);
  RETURN jsonb_build_object('kind', 'accepted', 'task', to_jsonb(t) || '{"outputs": []}');
END $$;

CREATE FUNCTION ops.tasks_get(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT ops.task_json(t) FROM gateway.tasks t WHERE t.id = input->>'taskId'
    AND (input->>'accountId' IS NULL OR t.account_id = (input->>'accountId')::bigint)
$$;

CREATE FUNCTION ops.tasks_list(input jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  account bigint := (input->>'accountId')::bigint;
  request text := input->>'clientRequestId';
  after_at bigint := 9223372036854775807;
  after_id text := '~';
  page jsonb;
BEGIN
  IF input->>'after' IS NOT NULL THEN
    SELECT created_at, id INTO after_at, after_id FROM gateway.tasks
      WHERE id = input->>'after' AND account_id = account;
    IF NOT FOUND THEN RETURN NULL; END IF;
  END IF;
  IF request IS NULL THEN
    SELECT jsonb_agg(ops.task_json(t) ORDER BY t.created_at DESC, t.id DESC) INTO page FROM (
      SELECT * FROM gateway.tasks WHERE account_id = account AND (created_at, id) < (after_at, after_id)
      ORDER BY created_at DESC, id DESC LIMIT (input->>'limit')::int + 1) t;
  ELSE
    SELECT jsonb_agg(ops.task_json(t) ORDER BY t.created_at DESC, t.id DESC) INTO page FROM (
      SELECT * FROM gateway.tasks WHERE account_id = account AND client_request_id = request
        AND (created_at, id) < (after_at, after_id)
      ORDER BY created_at DESC, id DESC LIMIT (input->>'limit')::int + 1) t;
  END IF;
  RETURN jsonb_build_object('tasks', COALESCE(page, '[]'::jsonb));
END $$;

CREATE FUNCTION ops.tasks_attempts(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT ops.attempts_of(input->>'taskId')
$$;

CREATE FUNCTION ops.tasks_events(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT COALESCE(jsonb_agg(to_jsonb(e) ORDER BY e.seq), '[]'::jsonb) FROM gateway.events e
  WHERE e.task_id = input->>'taskId' AND e.seq > (input->>'afterSeq')::bigint
$$;
