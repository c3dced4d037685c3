// What PostgreSQL really did inside the functions of the operations: auto_explain sends every nested statement's
// EXPLAIN (ANALYZE, BUFFERS) to the client.
import pg from 'pg';
import { decode, encode, type Name } from '../src/storage/postgres/translate.ts';

export interface Plans {
  /** By operation, then by statement: pages touched, in memory or not. */
  pages: ReadonlyMap<string, ReadonlyMap<string, number>>;
  text: string;
}

/** As many as make a session's cached plans those of a long-lived one; the last is kept. */
const REPEATS = 8;

export async function explainCalls(
  url: string,
  cycle: (call: (name: string, input: object) => Promise<unknown>) => Promise<void>,
): Promise<Plans> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const found = await client.query(
    "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'gateway_ops_%'",
  );
  await client.query(`LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0;
    SET auto_explain.log_analyze = on; SET auto_explain.log_buffers = on; SET auto_explain.log_timing = off;
    SET auto_explain.log_nested_statements = on; SET client_min_messages = log`);
  let notices: string[] = [];
  client.on('notice', ({ message }) => notices.push(message ?? ''));
  const sql = `SELECT ${found.rows[0]?.nspname}.run_one($1, $2, $3) AS answer`;
  const pages = new Map<string, Map<string, number>>();
  const texts = new Map<string, string>();
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    await cycle(async (name, input) => {
      notices = [];
      const known = name as Name;
      const id = `${repeat}${Math.random()}`;
      const { rows } = await client.query(sql, [name, encode(known, input), id]);
      const plans = notices.filter((text) => /Query Text:[\s\S]*gateway\./.test(text));
      pages.set(name, new Map(plans.map((plan) => [statementOf(plan), pagesOf(plan)])));
      texts.set(name, plans.map(withoutDuration).join('\n\n'));
      return decode(known, rows[0]?.answer, input);
    });
  }
  await client.end();
  const text = [...texts].map(([name, plans]) => `## ${name}\n\n${plans}\n`).join('\n');
  return { pages, text };
}

const statementOf = (plan: string) => /Query Text: ([\s\S]*?)\n\S/.exec(plan)?.[1] ?? plan;
const withoutDuration = (plan: string) => plan.replace(/^duration: [\d.]+ ms {2}plan:\n/, '');

/** Of the uppermost node, which counts what is below it. */
function pagesOf(plan: string): number {
  const line = /Buffers: shared ([^\n]*)/.exec(plan)?.[1] ?? '';
  const count = (word: string) => Number(new RegExp(`${word}=(\\d+)`).exec(line)?.[1] ?? 0);
  return count('hit') + count('read');
}
