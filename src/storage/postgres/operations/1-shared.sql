-- What the operations share. `ops.` stands for the schema of this version's functions.

-- Milliseconds by the database's clock. Tests move it; nothing else sets the offset.
CREATE FUNCTION ops.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
    + COALESCE(NULLIF(current_setting('gateway.clock_offset', true), ''), '0')::bigint
$$;

CREATE FUNCTION ops.write_event(task text, type text, at bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO gateway.events (task_id, type, created_at) VALUES (task, type, at)
$$;

-- A task's row with its outputs; a pending one has none.
CREATE FUNCTION ops.task_json(t gateway.tasks) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT to_jsonb(t) || jsonb_build_object('outputs', CASE WHEN t.status = 'pending' THEN '[]'::jsonb
    ELSE COALESCE((SELECT jsonb_agg(to_jsonb(o) ORDER BY o.idx) FROM gateway.outputs o
                   WHERE o.task_id = t.id), '[]'::jsonb) END)
$$;

CREATE FUNCTION ops.task_by_id(task text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT ops.task_json(t) FROM gateway.tasks t WHERE t.id = task
$$;

CREATE FUNCTION ops.attempts_of(task text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT COALESCE(jsonb_agg(to_jsonb(a) ORDER BY a.number), '[]'::jsonb)
  FROM gateway.attempts a WHERE a.task_id = task
$$;

-- The guard of every write by a runner: this owner, this claim, still processing, the lease still good. Locks the
-- task, so that what follows in the transaction happens under it.
CREATE FUNCTION ops.holds(input jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM gateway.tasks t
    WHERE t.id = input->>'taskId' AND t.owner = input->>'nodeId' AND t.claim = (input->>'claim')::int
      AND t.status = 'processing'
      AND EXISTS (SELECT 1 FROM gateway.nodes n WHERE n.id = input->>'nodeId' AND n.lease_until > ops.now_ms())
    FOR NO KEY UPDATE OF t;
  RETURN FOUND;
END $$;

CREATE FUNCTION ops.name_blobs(task text, blob_keys jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO gateway.input_blobs (blob_key, task_id)
    SELECT value, task FROM jsonb_array_elements_text(blob_keys) ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION ops.end_completed(task text, charge bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE at bigint := ops.now_ms(); t gateway.tasks;
BEGIN
  UPDATE gateway.tasks SET status = 'completed', charged = LEAST(charge, held), finished_at = at
    WHERE id = task AND status IN ('pending', 'processing') RETURNING * INTO STRICT t;
  PERFORM ops.settle(t, at);
  PERFORM ops.write_event(task, 'task.completed', at);
  RETURN ops.task_json(t);
END $$;

CREATE FUNCTION ops.end_failed(task text, code text, sentence text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE at bigint := ops.now_ms(); t gateway.tasks;
BEGIN
  UPDATE gateway.tasks SET status = 'failed', error_code = code, error_message = sentence, charged = 0, finished_at = at
    WHERE id = task AND status IN ('pending', 'processing') RETURNING * INTO STRICT t;
  PERFORM ops.settle(t, at);
  PERFORM ops.write_event(task, 'task.failed', at);
  RETURN ops.task_json(t);
END $$;
