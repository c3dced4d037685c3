-- Outputs by URL token, and what may be deleted.

CREATE FUNCTION ops.outputs_find(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('output', to_jsonb(o), 'expired', o.expired OR o.expires_at <= ops.now_ms())
  FROM gateway.outputs o JOIN gateway.tasks t ON t.id = o.task_id
  WHERE o.token = input->>'token' AND t.status = 'completed'
$$;

CREATE FUNCTION ops.outputs_expire(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  at bigint := ops.now_ms();
  gone jsonb;
  task_ids text[];
BEGIN
  WITH picked AS (
    SELECT task_id, idx FROM gateway.outputs WHERE NOT expired AND expires_at <= at
    ORDER BY expires_at LIMIT (input->>'limit')::int FOR UPDATE SKIP LOCKED
  ), marked AS (
    UPDATE gateway.outputs o SET expired = true FROM picked p
    WHERE o.task_id = p.task_id AND o.idx = p.idx RETURNING o.blob_key, o.task_id
  ) SELECT COALESCE(jsonb_agg(blob_key), '[]'::jsonb), array_agg(DISTINCT task_id) INTO gone, task_ids FROM marked;
  UPDATE gateway.tasks SET outputs_expired_at = at WHERE id = ANY (task_ids) AND outputs_expired_at IS NULL;
  RETURN gone;
END $$;

CREATE FUNCTION ops.blobs_named(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT COALESCE(jsonb_agg(k), '[]'::jsonb) FROM jsonb_array_elements_text(input->'keys') AS k
  WHERE EXISTS (SELECT 1 FROM gateway.outputs o WHERE o.blob_key = k AND NOT o.expired)
    OR EXISTS (SELECT 1 FROM gateway.input_blobs b WHERE b.blob_key = k)
$$;

CREATE FUNCTION ops.inputs_erase(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  before bigint := ops.now_ms() - (input->>'afterMs')::bigint;
  digits text := lpad(to_hex(before), 12, '0');
  task_ids text[];
  gone jsonb;
BEGIN
  -- By age of the ids of inputs still there: those of younger tasks, and tasks erased long ago, are never looked at.
  SELECT array_agg(id) INTO task_ids FROM (
    SELECT i.task_id AS id FROM gateway.task_inputs i JOIN gateway.tasks t ON t.id = i.task_id
    WHERE i.task_id < left(digits, 8) || '-' || right(digits, 4) AND t.finished_at <= before
    LIMIT (input->>'limit')::int FOR UPDATE OF i SKIP LOCKED) picked;
  WITH freed AS (DELETE FROM gateway.input_blobs WHERE task_id = ANY (task_ids) RETURNING blob_key)
    SELECT COALESCE(jsonb_agg(blob_key), '[]'::jsonb) INTO gone FROM freed;
  DELETE FROM gateway.task_inputs WHERE task_id = ANY (task_ids);
  RETURN gone;
END $$;
