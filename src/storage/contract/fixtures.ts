// Plain inputs for the storage contract suite.

import type { GatewayStore } from '../../domain/operations.ts';
import type { AcceptInput } from '../../domain/tasks/operations.ts';
import { makeToken, makeUuid } from '../../kernel/ids.ts';
import { centsToMicroCents } from '../../kernel/money.ts';

/** A store whose clock a test can move. */
export interface TestStore extends GatewayStore {
  advanceClock(ms: number): void;
}

export const NODE = { name: 'test', version: '0', settingsHash: 'x' };
export const LEASE_MS = 15_000;
export const DEADLINE_MS = 900_000;

export async function makeAccount(
  store: TestStore,
  { billing = 'track', cents = 0 }: { billing?: 'track' | 'prepaid'; cents?: number } = {},
): Promise<{ accountId: number; keyId: string }> {
  const token = makeToken();
  const made = await store.run('accounts.ensureKey', {
    accountName: 'Test',
    email: `${token}@example.com`,
    billing,
    keyId: makeUuid(Date.now()),
    keyName: 'test',
    hash: token,
    prefix: 'runapi_x',
    isLive: true,
    scopes: ['tasks'],
    grant: centsToMicroCents(cents),
    isOnlyFirst: false,
  });
  if (!made) throw new Error('no account was made');
  return made;
}

export function acceptInput(
  owner: { accountId: number; keyId: string },
  changes: Partial<AcceptInput> = {},
): AcceptInput {
  return {
    ...owner,
    id: makeUuid(Date.now()),
    isLive: true,
    service: 'gpt_image_2',
    action: 'text_to_image',
    model: 'gpt-image-2',
    modelAsSent: 'gpt-image-2',
    params: { output_resolution: '1k' },
    outputCount: 1,
    interpretation: {
      model: 'gpt-image-2',
      size: '1024x1024',
      aspect_ratio: '1:1',
      background: 'auto',
      output_format: 'png',
      quality: 'medium',
    },
    warnings: [],
    quote: { amount: centsToMicroCents(6), byCount: null },
    hold: changes.quote?.amount ?? centsToMicroCents(6),
    lane: 'upstream',
    clientRequestId: null,
    callbackUrl: null,
    deadlineMs: DEADLINE_MS,
    input: { prompt: 'x', sources: [], mask: null },
    idempotency: null,
    ...changes,
  };
}

/** Where nothing stands against it. */
export async function accept(store: TestStore, input: AcceptInput) {
  const accepted = await store.run('tasks.accept', input);
  if (accepted.kind === 'refused') throw new Error(accepted.refusal.reason);
  return accepted;
}

/** Whatever node was there before is dead then. */
export async function startNode(store: TestStore): Promise<string> {
  store.advanceClock(LEASE_MS + 1);
  const nodeId = makeUuid(Date.now());
  await store.run('nodes.start', { nodeId, leaseMs: LEASE_MS, ...NODE });
  return nodeId;
}

export function outputOf(index: number) {
  const token = makeToken();
  return {
    index,
    token,
    blobKey: `outputs/${token}`,
    contentType: 'image/png',
    width: 1,
    height: 1,
    sizeBytes: 1,
    sha256: '00',
    processed: [],
  };
}

export async function claimOne(store: TestStore, nodeId: string, lostMax = 3) {
  const [claimed] = await store.run('tasks.claim', { nodeId, lane: 'upstream', limit: 1, lostMax });
  if (!claimed) throw new Error('nothing to claim');
  return { claimed, fence: { taskId: claimed.task.id, nodeId, claim: claimed.claim } };
}

/** One more step: a started attempt with `outputs` recorded. */
export async function claimAndRecord(store: TestStore, nodeId: string, outputs = 1) {
  const { claimed, fence } = await claimOne(store, nodeId);
  const started = await store.run('tasks.startAttempt', { ...fence, provider: 'p' });
  if (started.lost) throw new Error('lost');
  for (let index = 0; index < outputs; index += 1) {
    await store.run('tasks.recordOutput', {
      ...fence,
      attempt: started.number,
      output: outputOf(index),
      retentionMs: 1_000_000,
    });
  }
  return { claimed, fence, attempt: started.number };
}

export function completion(
  task: { accountId: number; interpretation: AcceptInput['interpretation'] },
  attempt = 1,
) {
  return {
    accountId: task.accountId,
    attempt,
    charged: centsToMicroCents(6),
    outputCount: 1,
    interpretation: task.interpretation,
    warnings: [],
    provider: 'p',
    upstreamCost: null,
  };
}
