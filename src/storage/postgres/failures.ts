// What an error of a query says about its transaction.
import pg from 'pg';

/**
 * `conflict`: rolled back because of another transaction, worth another try. `refused`: rolled back, and would be
 * again. `away`: the database is not there or not able; the transaction may even have been committed.
 */
export type Verdict = 'conflict' | 'refused' | 'away';

/** Classes of SQLSTATE: connection, resources, operator's intervention, system error, read-only transaction. */
const AWAY = /^(?:08|53|57|58|25006$)/;
const CONFLICT = new Set(['40001', '40P01', '55P03']);

export function judge(error: unknown): Verdict {
  // Everything else is the connection's: sockets, time-outs, a pool without a free place.
  if (!(error instanceof pg.DatabaseError)) return 'away';
  const code = error.code ?? '';
  if (CONFLICT.has(code)) return 'conflict';
  return AWAY.test(code) ? 'away' : 'refused';
}
