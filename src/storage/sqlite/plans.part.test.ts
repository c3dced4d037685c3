// How the engine finds the rows of each operation. A scan costs nothing in a test and everything with a million tasks.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { acceptInput, completion, NODE, outputOf } from '../contract/fixtures.ts';
import { runBatch } from './batch.ts';
import { openDatabase } from './database.ts';

/** They hold a handful of rows however long a gateway runs, or are the caller's list. */
const SMALL = /SCAN (nodes|json_each|CONSTANT ROW)\b|SCAN \(subquery/;

it('no operation scans a table that grows', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'runapi-plans-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const statements = new Set<string>();
  const db = openDatabase({ dataDir });
  const recorded = {
    ...db,
    get: (sql: string, values: Record<string, string>) => {
      statements.add(sql);
      return db.get(sql, values);
    },
    all: (sql: string, values: Record<string, string>) => {
      statements.add(sql);
      return db.all(sql, values);
    },
    run: (sql: string, values: Record<string, string>) => {
      statements.add(sql);
      return db.run(sql, values);
    },
  } as typeof db;
  const run = <T>(name: string, input: object): T => {
    const [answer] = runBatch(recorded, [{ id: 1, name, input }]);
    if (!answer?.ok) throw new Error(answer?.message);
    return answer.output as T;
  };
  runEverything(run, (ms) => db.advanceClock(ms));
  const plans = [...statements].flatMap((sql) =>
    db.raw
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => `${String(detail)} — ${sql}`),
  );
  db.close();
  expect(plans.length).toBeGreaterThan(50);
  expect(plans.filter((plan) => /\bSCAN\b/.test(plan) && !SMALL.test(plan))).toEqual([]);
});

/** Each operation once, where it finds something to do. */
function runEverything(
  run: <T>(name: string, input: object) => T,
  advanceClock: (ms: number) => void,
): void {
  const node = { nodeId: 'node', leaseMs: 15_000, ...NODE };
  run('nodes.start', node);
  run('nodes.renew', node);
  run('nodes.list', {});
  run('nodes.drain', node);
  const owner = run<{ accountId: number; keyId: string }>('accounts.ensureKey', {
    accountName: 'a',
    email: 'a@example.com',
    billing: 'track',
    keyId: 'key',
    keyName: 'k',
    hash: 'hash',
    prefix: 'p',
    isLive: true,
    scopes: ['tasks'],
    grant: 100,
    isOnlyFirst: false,
  });
  const { accountId, keyId } = owner;
  const limits = {
    requestsPerMinute: 99,
    concurrentTasks: 99,
    spendPerDay: 1e9,
    spendPerMonth: 1e9,
    spendTotal: 1e9,
  };
  run('keys.update', { keyId, isRevoked: false, expiresInMs: null, limits, actor: 'test' });
  run('accounts.update', { accountId, concurrentMax: 99, actor: 'test' });
  run('keys.touch', { keyId });
  run('ledger.adjust', { id: 'grant', accountId, amount: 100, reason: 'x', actor: 'test' });
  run('ledger.check', { accountId, keyId, hold: 1 });
  run('ledger.balance', { accountId });
  run('ledger.statement', { accountId, before: null, limit: 9 });
  run('accounts.findKey', { hash: 'hash' });
  const idempotency = { key: 'key', fingerprint: 'f' };
  const source = { kind: 'blob', blobKey: 'sources/x' };
  const input = { prompt: 'x', sources: [source], mask: null };
  const accept = acceptInput(owner, { idempotency, clientRequestId: 'r' });
  const taskId = accept.id;
  run('tasks.accept', { ...accept, input });
  run('tasks.accept', { ...accept, input });
  const { id: after } = acceptInput(owner);
  run('tasks.accept', acceptInput(owner, { id: after }));
  run('tasks.findReplay', { ...owner, isLive: true, key: 'key' });
  const list = { accountId: owner.accountId, limit: 10 };
  for (const clientRequestId of [null, 'r']) {
    run('tasks.list', { ...list, after: null, clientRequestId });
    run('tasks.list', { ...list, after, clientRequestId });
  }
  run('tasks.load', { lane: 'upstream', windowMs: 60_000 });
  run('tasks.claim', { nodeId: 'node', lane: 'upstream', limit: 9, lostMax: 3 });
  const fence = { taskId, nodeId: 'node', claim: 1 };
  run('tasks.startAttempt', { ...fence, provider: 'p' });
  run('tasks.recordHandle', { ...fence, attempt: 1, handle: 'h' });
  run('tasks.recordSources', { ...fence, sources: [source], mask: null });
  const output = outputOf(0);
  run('tasks.recordOutput', { ...fence, attempt: 1, output, retentionMs: 1_000 });
  run('tasks.complete', { ...fence, ...completion(accept) });
  run('tasks.endAttempt', {
    taskId,
    attempt: 1,
    state: 'failed',
    failureClass: null,
    detail: null,
    upstreamCost: null,
  });
  for (const name of ['tasks.get', 'tasks.attempts', 'tasks.events']) {
    run(name, { taskId, accountId: owner.accountId, afterSeq: 0 });
  }
  run('outputs.find', { token: output.token });
  run('blobs.named', { keys: [output.blobKey, 'x'] });
  const waiting = { taskId: after, nodeId: 'node', claim: 1 };
  run('tasks.handBack', waiting);
  run('tasks.fail', {
    ...waiting,
    failure: { code: 'x', message: 'x' },
    warnings: [],
    provider: null,
  });
  run('tasks.cancel', { taskId: after, accountId: owner.accountId, message: 'x' });
  run('tasks.countCancelsAfterSubmit', { keyId: owner.keyId, windowMs: 60_000 });
  advanceClock(3_600_000);
  run('outputs.expire', { limit: 256 });
  run('inputs.erase', { afterMs: 1_000, limit: 256 });
  run('tasks.failLost', { lostMax: 1, limit: 256, message: 'x' });
  run('tasks.expireOverdue', { graceMs: 0, limit: 256, message: 'x' });
}
