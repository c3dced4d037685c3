import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { AppError } from '../kernel/app-error.ts';

/** The query, checked by its schema; all wrong parameters at once. */
export function readQuery<Schema extends z.ZodObject>(
  schema: Schema,
  request: FastifyRequest,
): z.output<Schema> {
  const result = schema.safeParse(request.query);
  if (result.success) return result.data;
  const fields: Record<string, string[]> = {};
  for (const { path, message } of result.error.issues) {
    const name = String(path[0] ?? 'query');
    const isRepeated = message.startsWith('Invalid input');
    const sentence = isRepeated ? `${name} must be given once` : message;
    fields[name] = [...(fields[name] ?? []), sentence];
  }
  throw new AppError('invalid_request', Object.values(fields).flat().join('; '), { fields });
}
