-- One statement per batch: its calls run in order, in one transaction without savepoints, and are told once.

CREATE FUNCTION ops.run_one(name text, input jsonb, call_id text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  CASE name
    WHEN 'tasks.accept' THEN RETURN ops.tasks_accept(input);
    WHEN 'tasks.get' THEN RETURN ops.tasks_get(input);
    WHEN 'tasks.complete' THEN RETURN ops.tasks_complete(input);
    WHEN 'tasks.startAttempt' THEN RETURN ops.tasks_start_attempt(input);
    WHEN 'tasks.recordOutput' THEN RETURN ops.tasks_record_output(input);
    WHEN 'tasks.recordHandle' THEN RETURN ops.tasks_record_handle(input);
    WHEN 'tasks.endAttempt' THEN RETURN ops.tasks_end_attempt(input);
    WHEN 'tasks.events' THEN RETURN ops.tasks_events(input);
    WHEN 'tasks.findReplay' THEN RETURN ops.tasks_find_replay(input);
    WHEN 'accounts.findKey' THEN RETURN ops.accounts_find_key(input);
    WHEN 'outputs.find' THEN RETURN ops.outputs_find(input);
    WHEN 'tasks.claim' THEN RETURN ops.tasks_claim(input, call_id);
    WHEN 'tasks.fail' THEN RETURN ops.tasks_fail(input);
    WHEN 'tasks.cancel' THEN RETURN ops.tasks_cancel(input);
    WHEN 'tasks.handBack' THEN RETURN ops.tasks_hand_back(input);
    WHEN 'tasks.recordSources' THEN RETURN ops.tasks_record_sources(input);
    WHEN 'tasks.list' THEN RETURN ops.tasks_list(input);
    WHEN 'tasks.attempts' THEN RETURN ops.tasks_attempts(input);
    WHEN 'tasks.expireOverdue' THEN RETURN ops.tasks_expire_overdue(input);
    WHEN 'tasks.failLost' THEN RETURN ops.tasks_fail_lost(input);
    WHEN 'tasks.failUnfinished' THEN RETURN ops.tasks_fail_unfinished(input);
    WHEN 'tasks.load' THEN RETURN ops.tasks_load(input);
    WHEN 'tasks.countCancelsAfterSubmit' THEN RETURN ops.tasks_count_cancels_after_submit(input);
    WHEN 'outputs.expire' THEN RETURN ops.outputs_expire(input);
    WHEN 'blobs.named' THEN RETURN ops.blobs_named(input);
    WHEN 'inputs.erase' THEN RETURN ops.inputs_erase(input);
    WHEN 'accounts.ensureKey' THEN RETURN ops.accounts_ensure_key(input);
    WHEN 'accounts.keepSecret' THEN RETURN ops.accounts_keep_secret(input);
    WHEN 'accounts.secretCheck' THEN RETURN ops.accounts_secret_check(input);
    WHEN 'accounts.create' THEN RETURN ops.accounts_create(input);
    WHEN 'accounts.list' THEN RETURN ops.accounts_list(input);
    WHEN 'accounts.update' THEN RETURN ops.accounts_update(input);
    WHEN 'keys.create' THEN RETURN ops.keys_create(input);
    WHEN 'keys.list' THEN RETURN ops.keys_list(input);
    WHEN 'keys.update' THEN RETURN ops.keys_update(input);
    WHEN 'keys.touch' THEN RETURN ops.keys_touch(input);
    WHEN 'ledger.balance' THEN RETURN ops.ledger_balance(input);
    WHEN 'ledger.check' THEN RETURN ops.ledger_check(input);
    WHEN 'ledger.adjust' THEN RETURN ops.ledger_adjust(input);
    WHEN 'ledger.statement' THEN RETURN ops.ledger_statement(input);
    WHEN 'ledger.audit' THEN RETURN ops.ledger_audit(input);
    WHEN 'nodes.start' THEN RETURN ops.nodes_start(input);
    WHEN 'nodes.renew' THEN RETURN ops.nodes_renew(input);
    WHEN 'nodes.list' THEN RETURN ops.nodes_list(input);
    WHEN 'nodes.drain' THEN RETURN ops.nodes_drain(input);
    WHEN 'nodes.stop' THEN RETURN ops.nodes_stop(input);
  END CASE;
END $$;

-- `calls`: [[name, input, call id], …]. Answers come back in the same order. State changes are announced under
-- `origin`, the node that need not hear of them: ids of changed tasks, new ones with a plus; `*` when they do not fit.
CREATE FUNCTION ops.run_batch(calls jsonb, clock_offset bigint, origin text) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
  call jsonb;
  before bigint;
  changed text;
BEGIN
  IF clock_offset <> 0 THEN
    PERFORM set_config('gateway.clock_offset', clock_offset::text, true);
  END IF;
  SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO before FROM gateway.events_seq_seq;
  -- Balances first and by account, tasks after them: all nodes lock in this order.
  PERFORM ops.lock_balances(ARRAY(
    SELECT DISTINCT (c->1->>'accountId')::bigint FROM jsonb_array_elements(calls) c
    WHERE c->>0 IN ('tasks.accept', 'tasks.complete', 'tasks.fail', 'tasks.cancel', 'ledger.adjust')));
  FOR call IN SELECT * FROM jsonb_array_elements(calls) LOOP
    RETURN NEXT ops.run_one(call->>0, call->1, call->>2);
  END LOOP;
  -- May name what others committed meanwhile: being told twice costs a look.
  SELECT string_agg(DISTINCT CASE type WHEN 'task.pending' THEN '+' ELSE '' END || task_id, ' ') INTO changed
    FROM gateway.events WHERE seq > before;
  IF changed IS NOT NULL THEN
    PERFORM pg_notify('gateway_changes',
      origin || ' ' || CASE WHEN octet_length(changed) > 7000 THEN '*' ELSE changed END);
  END IF;
END $$;
