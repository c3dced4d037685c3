import type { JsonObject } from '../../kernel/json.ts';
import { microCentsToCents } from '../../kernel/money.ts';
import type { Actor, DomainContext } from '../context.ts';
import { refusalError } from '../ledger/index.ts';
import { builtInWarning, type CreateTaskInput, understand } from './create.ts';

/**
 * What a create would answer now, without being one: no task, no hold, no idempotency record, no upstream. Sources are
 * checked for form only, limits are read and not used up. It promises nothing. Throws what the create would throw.
 */
export async function dryRun(
  ctx: DomainContext,
  actor: Actor,
  input: CreateTaskInput,
): Promise<JsonObject> {
  const { request, route, quote, hold, interpretation } = understand(ctx, actor, input, []);
  const { accountId, keyId } = actor;
  const refusal = await ctx.store.run('ledger.check', { accountId, keyId, hold });
  if (refusal) throw refusalError(refusal);
  const { available } = await ctx.store.run('ledger.balance', { accountId });
  const warnings = [...request.warnings, ...builtInWarning(route)];
  return {
    dry_run: true,
    model: request.modelAsSent,
    provider: route[0]?.id ?? null,
    quote: { amount_cents: microCentsToCents(quote.amount) },
    balance_after_cents: microCentsToCents(Math.max(0, available - hold)),
    warnings: warnings.map(({ code, message }) => ({ code, message })),
    interpretation: { ...interpretation },
  };
}
