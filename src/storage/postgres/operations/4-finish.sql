-- The terminal transitions. Each is guarded by the state it leaves, so exactly one of them happens to a task.

-- Whether this claim has ended the task itself: then an unanswered finish that is asked again finds its own result.
CREATE FUNCTION ops.ended_by(input jsonb, ended_as text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT ops.task_json(t) FROM gateway.tasks t
  WHERE t.id = input->>'taskId' AND t.owner = input->>'nodeId' AND t.claim = (input->>'claim')::int
    AND t.status = ended_as
    AND (ended_as = 'completed' OR t.error_code = input->'failure'->>'code')
$$;

CREATE FUNCTION ops.tasks_complete(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  task text := input->>'taskId';
  earlier jsonb;
  recorded bigint;
BEGIN
  IF NOT ops.holds(input) THEN
    earlier := ops.ended_by(input, 'completed');
    IF earlier IS NULL THEN RETURN '{"lost": true}'; END IF;
    RETURN jsonb_build_object('lost', false, 'task', earlier);
  END IF;
  SELECT count(*) INTO recorded FROM gateway.outputs WHERE task_id = task;
  IF recorded <> (input->>'outputCount')::int THEN RETURN '{"lost": true}'; END IF;
  UPDATE gateway.attempts SET state = 'succeeded', upstream_cost = (input->>'upstreamCost')::bigint,
      finished_at = ops.now_ms()
    WHERE task_id = task AND number = (input->>'attempt')::int AND finished_at IS NULL;
  UPDATE gateway.tasks SET interpretation = input->>'interpretation', warnings = input->>'warnings',
      provider = input->>'provider' WHERE id = task;
  RETURN jsonb_build_object('lost', false, 'task', ops.end_completed(task, (input->>'charged')::bigint));
END $$;

CREATE FUNCTION ops.tasks_fail(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  task text := input->>'taskId';
  earlier jsonb;
BEGIN
  IF NOT ops.holds(input) THEN
    earlier := ops.ended_by(input, 'failed');
    IF earlier IS NULL THEN RETURN '{"lost": true}'; END IF;
    RETURN jsonb_build_object('lost', false, 'task', earlier);
  END IF;
  UPDATE gateway.tasks SET warnings = input->>'warnings', provider = input->>'provider' WHERE id = task;
  RETURN jsonb_build_object('lost', false,
    'task', ops.end_failed(task, input->'failure'->>'code', input->'failure'->>'message'));
END $$;

CREATE FUNCTION ops.tasks_cancel(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE t gateway.tasks;
BEGIN
  SELECT * INTO t FROM gateway.tasks
    WHERE id = input->>'taskId' AND account_id = (input->>'accountId')::bigint FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF t.status IN ('completed', 'failed') THEN
    RETURN jsonb_build_object('task', ops.task_json(t), 'changed', false);
  END IF;
  RETURN jsonb_build_object('task', ops.end_failed(t.id, 'canceled', input->>'message'), 'changed', true);
END $$;

-- The same rule as `chargeFor` of pricing: the largest listed count that was delivered.
CREATE FUNCTION ops.price_of(quote jsonb, delivered bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN jsonb_typeof(quote->'byCount') <> 'object' THEN (quote->>'amount')::bigint
    ELSE COALESCE((SELECT value::bigint FROM jsonb_each_text(quote->'byCount')
                   WHERE key::bigint <= delivered ORDER BY key::bigint DESC LIMIT 1), 0) END
$$;

CREATE FUNCTION ops.tasks_expire_overdue(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  at bigint := ops.now_ms();
  due text[];
  t gateway.tasks;
  delivered bigint;
  ended jsonb := '[]';
BEGIN
  SELECT array_agg(id) INTO due FROM (SELECT id FROM gateway.tasks
    WHERE status IN ('pending', 'processing') AND deadline_at <= at - (input->>'graceMs')::bigint
      AND (status = 'pending'
        OR NOT EXISTS (SELECT 1 FROM gateway.nodes n WHERE n.id = tasks.owner AND n.lease_until > at))
    ORDER BY deadline_at LIMIT (input->>'limit')::int) d;
  PERFORM ops.lock_balances_of(due);
  FOR t IN
    SELECT * FROM gateway.tasks WHERE id = ANY (due) AND status IN ('pending', 'processing')
      AND (status = 'pending'
        OR NOT EXISTS (SELECT 1 FROM gateway.nodes n WHERE n.id = tasks.owner AND n.lease_until > at))
    ORDER BY id FOR UPDATE SKIP LOCKED
  LOOP
    SELECT count(*) INTO delivered FROM gateway.outputs WHERE task_id = t.id;
    IF delivered = 0 THEN
      ended := ended || ops.end_failed(t.id, 'expired', input->>'message');
    ELSE
      ended := ended || ops.end_completed(t.id, ops.price_of(t.quote::jsonb, delivered));
    END IF;
  END LOOP;
  RETURN ended;
END $$;

CREATE FUNCTION ops.tasks_fail_lost(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  at bigint := ops.now_ms();
  due text[];
  lost text;
  ended jsonb := '[]';
BEGIN
  SELECT array_agg(id) INTO due FROM (SELECT id FROM gateway.tasks
    WHERE status = 'processing' AND lost_count + 1 >= (input->>'lostMax')::int
      AND owner IN (SELECT n.id FROM gateway.nodes n WHERE n.lease_until <= at)
    LIMIT (input->>'limit')::int) d;
  PERFORM ops.lock_balances_of(due);
  FOR lost IN
    SELECT id FROM gateway.tasks WHERE id = ANY (due) AND status = 'processing'
      AND owner IN (SELECT n.id FROM gateway.nodes n WHERE n.lease_until <= at)
    ORDER BY id FOR UPDATE SKIP LOCKED
  LOOP
    ended := ended || ops.end_failed(lost, 'worker_lost', input->>'message');
  END LOOP;
  RETURN ended;
END $$;

CREATE FUNCTION ops.tasks_fail_unfinished(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  due text[];
  t gateway.tasks;
  delivered bigint;
  ended jsonb := '[]';
BEGIN
  SELECT array_agg(id) INTO due FROM (SELECT id FROM gateway.tasks WHERE status IN ('pending', 'processing')
    ORDER BY deadline_at LIMIT (input->>'limit')::int) d;
  PERFORM ops.lock_balances_of(due);
  FOR t IN
    SELECT * FROM gateway.tasks WHERE id = ANY (due) AND status IN ('pending', 'processing') ORDER BY id FOR UPDATE
  LOOP
    SELECT count(*) INTO delivered FROM gateway.outputs WHERE task_id = t.id;
    IF delivered = 0 THEN
      ended := ended || ops.end_failed(t.id, 'interrupted_by_restore', input->>'message');
    ELSE
      ended := ended || ops.end_completed(t.id, ops.price_of(t.quote::jsonb, delivered));
    END IF;
    UPDATE gateway.attempts SET finished_at = ops.now_ms(),
        state = CASE WHEN delivered = 0 THEN 'uncertain' ELSE 'succeeded' END
      WHERE task_id = t.id AND finished_at IS NULL;
  END LOOP;
  RETURN ended;
END $$;

CREATE FUNCTION ops.tasks_load(input jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  at bigint := ops.now_ms();
  waiting bigint;
  finished bigint;
  since bigint;
BEGIN
  SELECT count(*) INTO waiting FROM gateway.tasks WHERE lane = input->>'lane' AND status = 'pending';
  -- The newest thousand say how fast it goes.
  SELECT count(*), min(f.finished_at) INTO finished, since FROM (
    SELECT finished_at FROM gateway.tasks
    WHERE lane = input->>'lane' AND finished_at > at - (input->>'windowMs')::bigint
    ORDER BY finished_at DESC LIMIT 1000) f;
  RETURN jsonb_build_object('pending', waiting, 'finished', finished,
    'windowMs', GREATEST(1000, at - COALESCE(since, at)));
END $$;

CREATE FUNCTION ops.tasks_count_cancels_after_submit(input jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT to_jsonb(count(*)) FROM gateway.tasks t
  WHERE t.key_id = input->>'keyId' AND t.error_code = 'canceled'
    AND t.finished_at > ops.now_ms() - (input->>'windowMs')::bigint
    AND EXISTS (SELECT 1 FROM gateway.attempts a WHERE a.task_id = t.id)
$$;
