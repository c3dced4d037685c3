// What every storage engine promises, by operation name. An engine's test file only calls this.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { centsToMicroCents } from '../../kernel/money.ts';
import {
  acceptInput,
  accept as acceptTask,
  claimAndRecord,
  claimOne,
  completion,
  LEASE_MS,
  makeAccount,
  outputOf,
  startNode,
  type TestStore,
} from './fixtures.ts';

export function testStore(
  engine: string,
  setup: () => Promise<{ store: TestStore; teardown(): Promise<void> }>,
): void {
  describe(`the store on ${engine}`, () => {
    let store: TestStore;
    let teardown: () => Promise<void>;
    let owner: { accountId: number; keyId: string };
    beforeAll(async () => {
      ({ store, teardown } = await setup());
      owner = await makeAccount(store);
    });
    afterAll(() => teardown());

    const accept = (changes = {}) => acceptTask(store, acceptInput(owner, changes));
    const eventsOf = async (taskId: string) =>
      (await store.run('tasks.events', { taskId, afterSeq: 0 })).map(({ type }) => type);
    const failLost = () => store.run('tasks.failLost', { lostMax: 3, limit: 9, message: 'lost' });
    const expire = () =>
      store.run('tasks.expireOverdue', { graceMs: 0, limit: 99, message: 'late' });
    /** Leaves no task for the next test to claim. */
    const drain = async () => {
      store.advanceClock(1_000_000);
      await expire();
    };

    it('concurrent accepts with one idempotency key make one task', async () => {
      const idempotency = { key: 'same', fingerprint: 'f' };
      const results = await Promise.all(Array.from({ length: 20 }, () => accept({ idempotency })));
      expect(new Set(results.map(({ task }) => task.id)).size).toBe(1);
      expect(results.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
      await drain();
    });

    it('the same key is another record for sandbox and for another account', async () => {
      const idempotency = { key: 'flavours', fingerprint: 'f' };
      const other = await makeAccount(store);
      const live = await accept({ idempotency });
      const sandbox = await accept({ idempotency, isLive: false });
      const stranger = await accept({ idempotency, ...other });
      expect(new Set([live, sandbox, stranger].map(({ task }) => task.id)).size).toBe(3);
      await drain();
    });

    it("another account's task is unknown: to read, to list after, to cancel", async () => {
      const { task } = await accept();
      const { accountId } = await makeAccount(store);
      const taskId = task.id;
      expect(await store.run('tasks.get', { taskId, accountId })).toBeNull();
      expect(await store.run('tasks.cancel', { taskId, accountId, message: 'x' })).toBeNull();
      const list = { accountId, after: taskId, limit: 5, clientRequestId: null };
      expect(await store.run('tasks.list', list)).toBeNull();
      await drain();
    });

    it('a claim goes to one node only, oldest first, and a later claim has a higher number', async () => {
      const first = await accept();
      const second = await accept();
      const nodeId = await startNode(store);
      const a = await claimOne(store, nodeId);
      const b = await claimOne(store, nodeId);
      expect([a, b].map(({ fence }) => fence.taskId)).toEqual([first.task.id, second.task.id]);
      const none = { nodeId, lane: 'upstream', limit: 9, lostMax: 3 } as const;
      expect(await store.run('tasks.claim', none)).toEqual([]);
      await store.run('tasks.handBack', a.fence);
      expect((await claimOne(store, nodeId)).fence.claim).toBe(a.fence.claim + 1);
      await drain();
    });

    it('a lost lease cannot write: no attempt, no output, no end', async () => {
      await accept();
      const nodeId = await startNode(store);
      const { claimed, fence, attempt } = await claimAndRecord(store, nodeId);
      store.advanceClock(LEASE_MS + 1);
      const output = { ...fence, attempt, output: outputOf(1), retentionMs: 1 };
      const failure = { code: 'provider_error', message: 'x' } as const;
      expect(await store.run('nodes.renew', { nodeId, leaseMs: LEASE_MS })).toMatchObject({
        lost: true,
      });
      expect(await store.run('tasks.startAttempt', { ...fence, provider: 'p' })).toEqual({
        lost: true,
      });
      expect(await store.run('tasks.recordOutput', output)).toEqual({ lost: true });
      const complete = { ...fence, ...completion(claimed.task, attempt) };
      expect(await store.run('tasks.complete', complete)).toEqual({ lost: true });
      const { accountId } = owner;
      const fail = { ...fence, accountId, failure, warnings: [], provider: null };
      expect(await store.run('tasks.fail', fail)).toEqual({ lost: true });
      await drain();
    });

    it('recorded outputs and attempts survive a takeover, and the old claim is void', async () => {
      const { task } = await accept();
      const before = await claimAndRecord(store, await startNode(store));
      const after = await claimOne(store, await startNode(store));
      expect(after.fence).toMatchObject({ taskId: task.id, claim: before.fence.claim + 1 });
      expect(after.claimed.task.outputs).toHaveLength(1);
      expect(after.claimed.attempts).toMatchObject([{ number: 1, state: 'started' }]);
      const old = { ...before.fence, ...completion(task) };
      expect(await store.run('tasks.complete', old)).toEqual({ lost: true });
      const own = { ...after.fence, ...completion(task) };
      expect(await store.run('tasks.complete', own)).toMatchObject({ lost: false });
    });

    it('an unanswered complete can be asked again and ends the task once', async () => {
      await accept();
      const { claimed, fence } = await claimAndRecord(store, await startNode(store));
      const input = { ...fence, ...completion(claimed.task) };
      const answers = [
        await store.run('tasks.complete', input),
        await store.run('tasks.complete', input),
      ];
      for (const answer of answers) expect(answer).toMatchObject({ lost: false });
      expect(await eventsOf(fence.taskId)).toEqual([
        'task.pending',
        'task.processing',
        'task.completed',
      ]);
    });

    it('a completion with another number of outputs than are recorded is refused', async () => {
      await accept();
      const { claimed, fence } = await claimAndRecord(store, await startNode(store));
      const input = { ...fence, ...completion(claimed.task), outputCount: 2 };
      expect(await store.run('tasks.complete', input)).toEqual({ lost: true });
      await drain();
    });

    it('an output index is recorded once, whichever attempt brings it', async () => {
      const { task } = await accept();
      const { fence, attempt } = await claimAndRecord(store, await startNode(store));
      const again = { ...fence, attempt, output: outputOf(0), retentionMs: 1 };
      expect(await store.run('tasks.recordOutput', again)).toEqual({ lost: false });
      const { accountId } = owner;
      const found = await store.run('tasks.get', { taskId: task.id, accountId });
      expect(found?.outputs).toHaveLength(1);
      expect(found?.outputs[0]?.token).not.toBe(again.output.token);
      await drain();
    });

    it('a cancelled task cannot complete, and an ended task cannot be cancelled', async () => {
      const { task } = await accept();
      const { accountId } = owner;
      const { claimed, fence } = await claimAndRecord(store, await startNode(store));
      const cancel = { taskId: task.id, accountId, message: 'x' };
      expect(await store.run('tasks.cancel', cancel)).toMatchObject({
        changed: true,
        task: { status: 'failed', failure: { code: 'canceled' }, charged: 0 },
      });
      const complete = { ...fence, ...completion(claimed.task) };
      expect(await store.run('tasks.complete', complete)).toEqual({ lost: true });
      expect(await store.run('tasks.cancel', cancel)).toMatchObject({ changed: false });
    });

    it('a task lost three times ends as worker_lost and is claimed no more', async () => {
      const { task } = await accept();
      for (let time = 0; time < 3; time += 1) {
        const { fence } = await claimOne(store, await startNode(store));
        expect(fence.taskId).toBe(task.id);
      }
      const nodeId = await startNode(store);
      const next = { nodeId, lane: 'upstream', limit: 1, lostMax: 3 } as const;
      expect(await store.run('tasks.claim', next)).toEqual([]);
      expect(await failLost()).toMatchObject([{ id: task.id, failure: { code: 'worker_lost' } }]);
    });

    it('past its deadline a task ends as expired, with k outputs completed at the price of k', async () => {
      const quote = {
        amount: centsToMicroCents(8),
        byCount: { 1: centsToMicroCents(6), 2: centsToMicroCents(7), 4: centsToMicroCents(8) },
      };
      const { task } = await accept({ outputCount: 4, quote });
      await claimAndRecord(store, await startNode(store), 3);
      const none = await accept();
      store.advanceClock(1_000_000);
      const ended = new Map((await expire()).map((one) => [one.id, one]));
      expect(ended.get(task.id)).toMatchObject({
        status: 'completed',
        charged: centsToMicroCents(7),
      });
      expect(ended.get(none.task.id)).toMatchObject({ failure: { code: 'expired' }, charged: 0 });
    });

    it('after a restore what waits or runs is failed, what was delivered is completed, and nothing is open', async () => {
      await drain();
      const nodeId = await startNode(store);
      const { task: delivered } = await accept();
      await claimAndRecord(store, nodeId);
      const { task: called } = await accept();
      await claimAndRecord(store, nodeId, 0);
      const { task: waiting } = await accept();
      const end = () => store.run('tasks.failUnfinished', { limit: 2, message: 'restored' });
      const ended = [...(await end()), ...(await end())];
      const byId = new Map(ended.map((one) => [one.id, one]));
      expect(byId.get(delivered.id)).toMatchObject({ status: 'completed' });
      for (const { id } of [called, waiting]) {
        expect(byId.get(id)).toMatchObject({
          failure: { code: 'interrupted_by_restore', message: 'restored' },
          charged: 0,
        });
        expect(await eventsOf(id)).toContain('task.failed');
      }
      expect(await store.run('tasks.attempts', { taskId: delivered.id })).toMatchObject([
        { state: 'succeeded', finishedAt: expect.any(Number) },
      ]);
      expect(await store.run('tasks.attempts', { taskId: called.id })).toMatchObject([
        { state: 'uncertain', finishedAt: expect.any(Number) },
      ]);
      expect(await end()).toEqual([]);
      expect(byId.size).toBe(3);
    });

    it('outputs are found by token until they expire, and only of completed tasks', async () => {
      await accept();
      const { claimed, fence } = await claimAndRecord(store, await startNode(store));
      const { accountId } = owner;
      const task = await store.run('tasks.get', { taskId: fence.taskId, accountId });
      const token = task?.outputs[0]?.token ?? '';
      expect(await store.run('outputs.find', { token })).toBeNull();
      await store.run('tasks.complete', { ...fence, ...completion(claimed.task) });
      expect(await store.run('outputs.find', { token })).toMatchObject({ expired: false });
      const blobKey = task?.outputs[0]?.blobKey ?? '';
      expect(await store.run('blobs.named', { keys: [blobKey, 'other'] })).toEqual([blobKey]);
      store.advanceClock(1_000_001);
      expect(await store.run('outputs.find', { token })).toMatchObject({ expired: true });
      expect(await store.run('outputs.expire', { limit: 99 })).toContain(blobKey);
      expect(await store.run('blobs.named', { keys: [blobKey] })).toEqual([]);
      const after = await store.run('tasks.get', { taskId: fence.taskId, accountId });
      expect(after).toMatchObject({ status: 'completed' });
      expect(after?.outputsExpiredAt).not.toBeNull();
    });

    it('erasing inputs leaves the task and frees its source blobs', async () => {
      const source = {
        kind: 'blob',
        blobKey: 'sources/a.png',
        contentType: 'image/png',
        width: 1,
        height: 1,
      } as const;
      const { task } = await accept({ input: { prompt: 'secret', sources: [source], mask: null } });
      expect(await store.run('blobs.named', { keys: ['sources/a.png'] })).toHaveLength(1);
      await drain();
      const erased = await store.run('inputs.erase', { afterMs: 0, limit: 999 });
      expect(erased).toContain('sources/a.png');
      const { accountId } = owner;
      expect(await store.run('tasks.get', { taskId: task.id, accountId })).not.toBeNull();
    });

    it('the load of a lane counts what waits there and what ended lately', async () => {
      await accept({ lane: 'built_in' });
      const load = { lane: 'built_in', windowMs: 60_000 } as const;
      expect(await store.run('tasks.load', load)).toMatchObject({ pending: 1, finished: 0 });
      await drain();
      expect(await store.run('tasks.load', load)).toMatchObject({ pending: 0, finished: 1 });
    });

    it('a node is listed with its work, and hears by its renewal that it shall drain', async () => {
      await accept();
      const nodeId = await startNode(store);
      await claimOne(store, nodeId);
      const renewal = { nodeId, leaseMs: LEASE_MS };
      expect(await store.run('nodes.renew', renewal)).toEqual({ lost: false, isDraining: false });
      expect(await store.run('nodes.drain', { nodeId })).toEqual({ found: true });
      expect(await store.run('nodes.drain', { nodeId: 'nobody' })).toEqual({ found: false });
      expect(await store.run('nodes.renew', renewal)).toEqual({ lost: false, isDraining: true });
      expect(await store.run('nodes.list', {})).toMatchObject([
        { id: nodeId, name: 'test', running: 1, isDraining: true },
      ]);
      await drain();
      expect(await store.run('nodes.list', {})).toEqual([]);
    });

    it('a first key is made only while there is none', async () => {
      const input = {
        accountName: 'Other',
        email: 'other@example.com',
        billing: 'track' as const,
        keyId: 'other',
        keyName: 'first',
        hash: 'other',
        prefix: 'runapi_x',
        isLive: true,
        scopes: ['tasks' as const],
        grant: 0,
        isOnlyFirst: true,
      };
      expect(await store.run('accounts.ensureKey', input)).toBeNull();
      expect(await store.run('accounts.findKey', { hash: 'other' })).toBeNull();
    });

    it('the first secret offered is the secret of all', async () => {
      const first = await store.run('accounts.keepSecret', { candidate: 'a' });
      expect(await store.run('accounts.keepSecret', { candidate: 'b' })).toEqual(first);
    });

    it('the check value of the secret is written once', async () => {
      const first = await store.run('accounts.secretCheck', { check: 'a' });
      expect(await store.run('accounts.secretCheck', { check: 'b' })).toEqual(first);
    });
  });
}
