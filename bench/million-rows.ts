// A history of finished tasks, written by the database itself: thirty days of them, as a gateway leaves them. Inputs are
// erased and pictures expired after seven days.

export interface History {
  tasks: number;
  accountId: number;
  keyId: string;
  nowMs: number;
}

const DAY_MS = 86_400_000;

/** What differs between the two engines. */
interface Words {
  /** `n` counts from 0. */
  rows: (count: number) => string;
  schema: string;
  yes: string;
  no: string;
  hex: (number: string, digits: number) => string;
  random: string;
}

const SQLITE: Words = {
  rows: (count) =>
    `(WITH RECURSIVE c (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < ${count} - 1) SELECT n FROM c)`,
  schema: '',
  yes: '1',
  no: '0',
  hex: (number, digits) => `printf('%0${digits}x', ${number})`,
  random: 'lower(hex(randomblob(14)))',
};

const POSTGRES: Words = {
  rows: (count) => `(SELECT n FROM generate_series(0::bigint, ${count} - 1) AS n)`,
  schema: 'gateway.',
  yes: 'true',
  no: 'false',
  hex: (number, digits) => `lpad(to_hex((${number})::bigint), ${digits}, '0')`,
  random: "replace(gen_random_uuid()::text, '-', '')",
};

export const sqliteHistory = (history: History) => statements(SQLITE, history);
export const postgresHistory = (history: History) => statements(POSTGRES, history);

function statements(words: Words, history: History): readonly string[] {
  const { rows, schema, yes, no, hex, random } = words;
  const { tasks, accountId, keyId, nowMs } = history;
  const stepMs = Math.floor((30 * DAY_MS) / tasks);
  const weekAgo = nowMs - 7 * DAY_MS;
  // The oldest first, the newest an hour old.
  const at = `(${nowMs - 30 * DAY_MS - 3_600_000} + n * ${stepMs})`;
  const digits = hex(at, 12);
  const id = `substr(${digits}, 1, 8) || '-' || substr(${digits}, 9, 4) || '-7000-8000-' || ${hex('n', 12)}`;
  const all = `FROM ${rows(tasks)} AS numbers`;
  const interpretation =
    '{"model":"gpt-image-2","size":"1024x1024","aspect_ratio":"1:1","background":"auto","output_format":"png","quality":"medium"}';
  return [
    `INSERT INTO ${schema}tasks (id, account_id, key_id, is_live, lane, service, action, model, model_as_sent, status, params,
       output_count, interpretation, warnings, quote, held, charged, provider, owner, claim, created_at, deadline_at, finished_at)
     SELECT ${id}, ${accountId}, '${keyId}', ${yes}, 'upstream', 'gpt_image_2', 'text_to_image', 'gpt-image-2', 'gpt-image-2',
       'completed', '{"output_resolution":"1k"}', 1, '${interpretation}', '[]', '{"amount":6000000,"byCount":null}', 6000000, 6000000, 'p',
       'gone', 1, ${at}, ${at} + 900000, ${at} + 20000 ${all}`,
    `INSERT INTO ${schema}idempotency SELECT ${accountId}, ${yes}, ${random}, 'f', ${id} ${all}`,
    `INSERT INTO ${schema}task_inputs SELECT ${id}, 'a prompt', '[]', NULL ${all} WHERE ${at} >= ${weekAgo}`,
    `INSERT INTO ${schema}attempts (task_id, number, provider, state, claim, started_at, finished_at)
     SELECT ${id}, 1, 'p', 'succeeded', 1, ${at}, ${at} + 20000 ${all}`,
    `INSERT INTO ${schema}outputs (task_id, idx, attempt, token, blob_key, content_type, width, height, size_bytes, sha256,
       processed, expires_at, expired)
     SELECT ${id}, 0, 1, ${random}, 'outputs/' || ${id} || '/0', 'image/png', 1024, 1024, 1000000, 'x', '[]',
       ${at} + ${7 * DAY_MS}, CASE WHEN ${at} < ${weekAgo} THEN ${yes} ELSE ${no} END ${all}`,
    ...['pending', 'processing', 'completed'].map(
      (state) =>
        `INSERT INTO ${schema}events (task_id, type, created_at) SELECT ${id}, 'task.${state}', ${at} ${all}`,
    ),
  ];
}
