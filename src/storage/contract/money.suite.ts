// What every storage engine promises about money, whatever happens to tasks and in whatever order.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chargeFor } from '../../domain/pricing/index.ts';
import { makeUuid } from '../../kernel/ids.ts';
import { centsToMicroCents } from '../../kernel/money.ts';
import {
  accept,
  acceptInput,
  claimAndRecord,
  completion,
  makeAccount,
  startNode,
  type TestStore,
} from './fixtures.ts';

const PRICE = centsToMicroCents(6);
/** Six cents for one picture, seven for two, eight for four. */
const BY_COUNT = {
  amount: centsToMicroCents(8),
  byCount: { 1: PRICE, 2: centsToMicroCents(7), 4: centsToMicroCents(8) },
};
const STEPS = [
  'accept',
  'accept four',
  'accept again',
  'complete',
  'complete part',
  'fail',
  'cancel',
  'expire',
  'crash',
  'grant',
  'take',
] as const;
type Step = (typeof STEPS)[number];

export function testMoney(
  engine: string,
  setup: () => Promise<{ store: TestStore; teardown(): Promise<void> }>,
): void {
  describe(`money on ${engine}`, () => {
    let store: TestStore;
    let teardown: () => Promise<void>;
    beforeAll(async () => {
      ({ store, teardown } = await setup());
    });
    afterAll(() => teardown());
    const audit = () => store.run('ledger.audit', { limit: 10 });
    const balance = (accountId: number) => store.run('ledger.balance', { accountId });

    it('whatever happens to tasks, in any order, the ledger adds up and each is settled once', async () => {
      const some = fc.array(fc.constantFrom<Step>(...STEPS), { minLength: 3, maxLength: 14 });
      await fc.assert(
        fc.asyncProperty(some, async (steps) => {
          const walk = new Walk(store, await makeAccount(store, { billing: 'prepaid', cents: 30 }));
          await walk.start();
          for (const step of steps) await walk.take(step);
          await walk.end();
          expect(await audit()).toEqual([]);
          const { held, revenue } = await balance(walk.owner.accountId);
          expect({ held, revenue }).toEqual({ held: 0, revenue: walk.charged });
        }),
        { numRuns: 25 },
      );
    });

    it('creates at once against a balance for exactly 1,000 are accepted exactly 1,000 times', async () => {
      const owner = await makeAccount(store, { billing: 'prepaid', cents: 6 * 1_000 });
      const results = await Promise.all(
        Array.from({ length: 10_000 }, () => store.run('tasks.accept', acceptInput(owner))),
      );
      expect(results.filter(({ kind }) => kind === 'accepted')).toHaveLength(1_000);
      const refused = results.find((one) => one.kind === 'refused');
      expect(refused?.refusal).toEqual({ reason: 'balance', price: PRICE, available: 0 });
      expect(await balance(owner.accountId)).toMatchObject({ available: 0, held: 1_000 * PRICE });
      await endAll(store);
      expect(await balance(owner.accountId)).toMatchObject({ available: 1_000 * PRICE, held: 0 });
      expect(await audit()).toEqual([]);
    }, 60_000);

    it('an account that tracks is given exactly what is short', async () => {
      const owner = await makeAccount(store, { cents: 2 });
      await accept(store, acceptInput(owner));
      const lines = await store.run('ledger.statement', {
        accountId: owner.accountId,
        before: null,
        limit: 9,
      });
      expect(lines.map(({ kind, amount, reason }) => [kind, amount, reason])).toEqual([
        ['hold', PRICE, null],
        ['grant', centsToMicroCents(4), 'own use'],
        ['grant', centsToMicroCents(2), 'first start'],
      ]);
      await endAll(store);
    });

    it('a sandbox task is settled without a line', async () => {
      const owner = await makeAccount(store, { billing: 'prepaid' });
      await accept(store, acceptInput(owner, { isLive: false, hold: centsToMicroCents(0) }));
      await endAll(store);
      const all = { accountId: owner.accountId, before: null, limit: 9 };
      expect(await store.run('ledger.statement', all)).toEqual([]);
      expect(await audit()).toEqual([]);
    });

    it('limits of a key refuse the next task and name themselves', async () => {
      const owner = await makeAccount(store, { cents: 1_000 });
      const limit = async (limits: object) =>
        store.run('keys.update', {
          keyId: owner.keyId,
          isRevoked: false,
          expiresInMs: null,
          limits,
          actor: 'test',
        });
      const next = async () => {
        const answer = await store.run('tasks.accept', acceptInput(owner));
        return answer.kind === 'refused' ? answer.refusal : answer.kind;
      };
      for (const [name, reason] of [
        ['spendPerDay', 'key_day'],
        ['spendPerMonth', 'key_month'],
        ['spendTotal', 'key_total'],
      ] as const) {
        const { usedToday } = await balance(owner.accountId);
        await limit({ [name]: usedToday + PRICE });
        expect(await next()).toBe('accepted');
        const used = usedToday + PRICE;
        expect(await next()).toEqual({ reason, price: PRICE, limit: used, used });
      }
      await limit({ concurrentTasks: 3 });
      expect(await next()).toEqual({ reason: 'key_concurrent', limit: 3 });
      await limit({});
      await store.run('accounts.update', {
        accountId: owner.accountId,
        concurrentMax: 3,
        actor: 'test',
      });
      expect(await next()).toEqual({ reason: 'account_concurrent', limit: 3 });
      await endAll(store);
      await limit({ requestsPerMinute: 2 });
      expect([await next(), await next()]).toEqual(['accepted', 'accepted']);
      expect(await next()).toMatchObject({ reason: 'key_rate', limit: 2 });
      store.advanceClock(60_000);
      expect(await next()).toBe('accepted');
      await endAll(store);
    });

    it('no more is taken back than there is, and the same grant counts once', async () => {
      const { accountId } = await makeAccount(store, { billing: 'prepaid', cents: 5 });
      const id = makeUuid(Date.now());
      const grant = { id, accountId, amount: PRICE, reason: 'paid', actor: 'test' };
      const twice = [
        await store.run('ledger.adjust', grant),
        await store.run('ledger.adjust', grant),
      ];
      expect(twice.map((one) => one?.kind)).toEqual(['done', 'replayed']);
      const back = { ...grant, id: `${id}-back`, amount: -2 * PRICE };
      expect(await store.run('ledger.adjust', back)).toMatchObject({ kind: 'refused' });
      expect(await store.run('ledger.adjust', { ...grant, accountId: 424_242 })).toBeNull();
    });
  });
}

/** Ends everything that is open: nobody works on it, and its deadline is over. */
async function endAll(store: TestStore): Promise<void> {
  store.advanceClock(1_000_000);
  for (;;) {
    const ended = await store.run('tasks.expireOverdue', { graceMs: 0, limit: 500, message: 'x' });
    if (ended.length === 0) return;
  }
}

/** One account's history, and what it must have cost. */
class Walk {
  readonly #store: TestStore;
  readonly owner: { accountId: number; keyId: string };
  charged = 0;
  #nodeId = '';
  #taskIds: string[] = [];

  constructor(store: TestStore, owner: { accountId: number; keyId: string }) {
    this.#store = store;
    this.owner = owner;
  }

  async start(): Promise<void> {
    this.#nodeId = await startNode(this.#store);
  }

  async take(step: Step): Promise<void> {
    const store = this.#store;
    const { accountId } = this.owner;
    switch (step) {
      case 'accept':
        return this.#accept(acceptInput(this.owner));
      case 'accept four':
        return this.#accept(
          acceptInput(this.owner, { quote: BY_COUNT, hold: BY_COUNT.amount, outputCount: 4 }),
        );
      case 'accept again': {
        const key = `again-${accountId}`;
        const idempotency = { key, fingerprint: 'f' };
        return this.#accept(acceptInput(this.owner, { idempotency }));
      }
      case 'complete':
        return this.#complete(1);
      case 'complete part':
        return this.#complete(3);
      case 'fail':
        return this.#fail();
      case 'cancel': {
        const taskId = this.#taskIds.at(-1);
        if (taskId) await store.run('tasks.cancel', { taskId, accountId, message: 'x' });
        return;
      }
      case 'expire':
        return this.end();
      case 'crash':
        return this.start();
      default: {
        const amount = step === 'grant' ? PRICE : -PRICE;
        const id = makeUuid(Date.now());
        await store.run('ledger.adjust', { id, accountId, amount, reason: step, actor: 'test' });
      }
    }
  }

  /** Recorded outputs of abandoned tasks are paid for, the rest costs nothing. */
  async end(): Promise<void> {
    await endAll(this.#store);
    await this.start();
  }

  async #accept(input: ReturnType<typeof acceptInput>): Promise<void> {
    const before = await this.#store.run('ledger.balance', { accountId: input.accountId });
    const answer = await this.#store.run('tasks.accept', input);
    if (answer.kind === 'refused') {
      expect(before.available).toBeLessThan(input.hold);
      return;
    }
    this.#taskIds.push(answer.task.id);
  }

  async #complete(outputs: number): Promise<void> {
    const working = await claimAndRecord(this.#store, this.#nodeId, outputs).catch(() => null);
    if (!working) return;
    const { claimed, fence, attempt } = working;
    const charged = chargeFor(claimed.task.quote, outputs);
    const finish = { ...completion(claimed.task, attempt), charged, outputCount: outputs };
    // Twice: the second is the repetition of an unanswered finish.
    for (const _ of [1, 2]) {
      const done = await this.#store.run('tasks.complete', { ...fence, ...finish });
      expect(done).toMatchObject({ lost: false, task: { charged } });
    }
    this.charged += charged;
  }

  async #fail(): Promise<void> {
    const working = await claimAndRecord(this.#store, this.#nodeId, 0).catch(() => null);
    if (!working) return;
    const failure = { code: 'provider_error', message: 'x' } as const;
    const end = { accountId: this.owner.accountId, failure, warnings: [], provider: null };
    await this.#store.run('tasks.fail', { ...working.fence, ...end });
  }
}
