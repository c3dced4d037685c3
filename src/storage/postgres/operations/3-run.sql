-- What a runner writes while it works: claims, attempts, outputs. Every write is fenced.

CREATE FUNCTION ops.tasks_claim(input jsonb, call_id text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  at bigint := ops.now_ms();
  node text := input->>'nodeId';
  wanted int := (input->>'limit')::int;
  taken text[];
  fresh text[];
BEGIN
  PERFORM 1 FROM gateway.nodes WHERE id = node AND lease_until > at;
  IF NOT FOUND THEN RETURN '[]'::jsonb; END IF;
  -- The same call again, because the answer to its commit was lost.
  SELECT array_agg(id) INTO taken FROM gateway.tasks
    WHERE owner = node AND lane = input->>'lane' AND status = 'processing' AND claimed_by = call_id;
  IF taken IS NULL THEN
    WITH picked AS (
      SELECT id FROM gateway.tasks
      WHERE lane = input->>'lane' AND status = 'processing' AND deadline_at > at
        AND lost_count + 1 < (input->>'lostMax')::int
        AND owner IN (SELECT n.id FROM gateway.nodes n WHERE n.lease_until <= at)
      ORDER BY created_at, id LIMIT wanted FOR UPDATE SKIP LOCKED
    ), moved AS (
      UPDATE gateway.tasks t SET owner = node, claim = t.claim + 1, lost_count = t.lost_count + 1, claimed_by = call_id
      FROM picked WHERE t.id = picked.id RETURNING t.id
    ) SELECT COALESCE(array_agg(id), '{}') INTO taken FROM moved;
    WITH picked AS (
      SELECT id FROM gateway.tasks
      WHERE lane = input->>'lane' AND status = 'pending' AND deadline_at > at
      ORDER BY created_at, id LIMIT wanted - cardinality(taken) FOR UPDATE SKIP LOCKED
    ), moved AS (
      UPDATE gateway.tasks t SET status = 'processing', owner = node, claim = t.claim + 1, claimed_by = call_id
      FROM picked WHERE t.id = picked.id RETURNING t.id
    ) SELECT COALESCE(array_agg(id), '{}') INTO fresh FROM moved;
    INSERT INTO gateway.events (task_id, type, created_at)
      SELECT id, 'task.processing', at FROM unnest(fresh) AS id ORDER BY id;
    taken := taken || fresh;
  END IF;
  RETURN COALESCE((
    SELECT jsonb_agg(jsonb_build_object('task', ops.task_json(t), 'input', to_jsonb(i),
      'attempts', ops.attempts_of(t.id),
      'remainingMs', t.deadline_at - at) ORDER BY t.lost_count = 0, t.created_at, t.id)
    FROM gateway.tasks t JOIN gateway.task_inputs i ON i.task_id = t.id WHERE t.id = ANY (taken)), '[]'::jsonb);
END $$;

CREATE FUNCTION ops.tasks_hand_back(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  IF NOT ops.holds(input) THEN RETURN '{"lost": true}'; END IF;
  UPDATE gateway.tasks SET status = 'pending', owner = NULL, claimed_by = NULL WHERE id = input->>'taskId';
  RETURN '{"lost": false}';
END $$;

CREATE FUNCTION ops.tasks_start_attempt(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  task text := input->>'taskId';
  last gateway.attempts;
  next_number int;
BEGIN
  IF NOT ops.holds(input) THEN RETURN '{"lost": true}'; END IF;
  SELECT * INTO last FROM gateway.attempts WHERE task_id = task ORDER BY number DESC LIMIT 1;
  -- The same call again: within one claim no attempt starts while another is open.
  IF last.state = 'started' AND last.claim = (input->>'claim')::int THEN
    RETURN jsonb_build_object('lost', false, 'number', last.number);
  END IF;
  next_number := COALESCE(last.number, 0) + 1;
  INSERT INTO gateway.attempts (task_id, number, provider, state, claim, started_at)
    VALUES (task, next_number, input->>'provider', 'started', (input->>'claim')::int, ops.now_ms());
  UPDATE gateway.tasks SET provider = input->>'provider' WHERE id = task;
  RETURN jsonb_build_object('lost', false, 'number', next_number);
END $$;

CREATE FUNCTION ops.tasks_record_handle(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  IF NOT ops.holds(input) THEN RETURN '{"lost": true}'; END IF;
  UPDATE gateway.attempts SET state = 'submitted', handle = input->>'handle', claim = (input->>'claim')::int
    WHERE task_id = input->>'taskId' AND number = (input->>'attempt')::int AND state IN ('started', 'submitted');
  RETURN '{"lost": false}';
END $$;

CREATE FUNCTION ops.tasks_record_sources(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE task text := input->>'taskId';
BEGIN
  IF NOT ops.holds(input) THEN RETURN '{"lost": true}'; END IF;
  UPDATE gateway.task_inputs SET sources = input->>'sources', mask = input->>'mask' WHERE task_id = task;
  DELETE FROM gateway.input_blobs WHERE task_id = task;
  PERFORM ops.name_blobs(task, input->'blobKeys');
  RETURN '{"lost": false}';
END $$;

CREATE FUNCTION ops.tasks_record_output(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE o jsonb := input->'output';
BEGIN
  IF NOT ops.holds(input) THEN RETURN '{"lost": true}'; END IF;
  -- By (task, index): whichever attempt brought it first, it counts once.
  INSERT INTO gateway.outputs (task_id, idx, attempt, token, blob_key, content_type, width, height, size_bytes,
      sha256, processed, expires_at)
    VALUES (input->>'taskId', (o->>'index')::int, (input->>'attempt')::int, o->>'token', o->>'blobKey',
      o->>'contentType', (o->>'width')::int, (o->>'height')::int, (o->>'sizeBytes')::bigint, o->>'sha256',
      o->>'processed', ops.now_ms() + (input->>'retentionMs')::bigint)
    ON CONFLICT (task_id, idx) DO NOTHING;
  RETURN '{"lost": false}';
END $$;

CREATE FUNCTION ops.tasks_end_attempt(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  UPDATE gateway.attempts SET state = input->>'state', failure_class = input->>'failureClass',
      detail = input->>'detail', upstream_cost = (input->>'upstreamCost')::bigint, finished_at = ops.now_ms()
    WHERE task_id = input->>'taskId' AND number = (input->>'attempt')::int AND finished_at IS NULL;
  RETURN '{}';
END $$;
