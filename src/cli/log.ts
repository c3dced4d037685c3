import { pino } from 'pino';
import type { Logger } from '../kernel/logger.ts';

/** JSON lines on stderr, so that what a command prints on stdout stays its own. */
export function createLogger(level: string): Logger {
  return pino(
    { level, base: null, redact: { paths: ['*.authorization', '*.key', '*.secret', '*.token'] } },
    pino.destination({ dest: 2, sync: true }),
  );
}
