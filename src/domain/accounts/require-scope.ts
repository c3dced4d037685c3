import { AppError } from '../../kernel/app-error.ts';
import type { Actor } from '../context.ts';
import type { Scope } from './operations.ts';

/** Throws `permission_denied` when the key was not made for this. */
export function requireScope(actor: Actor, scope: Scope): void {
  if (actor.scopes.includes(scope)) return;
  throw new AppError(
    'permission_denied',
    `This key lacks the scope ${scope}; it has ${actor.scopes.join(', ') || 'none'}. The gateway's operator can make a key with it: runapi-gateway keys create --scopes ${[...actor.scopes, scope].join(',')}.`,
  );
}
