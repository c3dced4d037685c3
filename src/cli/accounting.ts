// The commands on accounts, keys and money.
import type { Command } from 'commander';
import { SCOPES } from '../domain/accounts/index.ts';
import type {
  AccountRecord,
  Billing,
  KeyLimits,
  KeyRecord,
  Scope,
} from '../domain/accounts/operations.ts';
import type { AuditFinding, LedgerLine } from '../domain/ledger/operations.ts';
import { AppError } from '../kernel/app-error.ts';
import { centsToMicroCents, formatCents, microCentsToCents } from '../kernel/money.ts';
import type { AdminRequest } from './administer.ts';
import { askGateway, bodyOf } from './ask.ts';
import type { CliDeps, CommandConfig } from './gateway.ts';
import { table } from './table.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const LINES = 50;

interface Options {
  config?: string;
  json?: boolean;
  [name: string]: unknown;
}

type Add = (parent: Command, name: string, description: string, example: string) => Command;
type Exit = (code: number) => void;

/** Adds `accounts`, `keys`, `credits` and `audit`. */
export function addAccounting<Config extends CommandConfig>(
  program: Command,
  deps: CliDeps<Config>,
  exit: Exit,
  add: Add,
): void {
  /** Asks, and prints JSON or words; what `show` returns is the exit code where it is a number. */
  const run = async <Body>(
    options: Options,
    request: AdminRequest,
    show: (body: Body) => string,
    codeOf: (body: Body) => number = () => 0,
  ): Promise<void> => {
    const config = deps.readConfig(
      options.config === undefined ? {} : { configFile: options.config },
    );
    const path = `/admin/${encodeURIComponent(JSON.stringify(request))}`;
    const body = bodyOf<Body>(await askGateway(deps, config, 'POST', path), deps.stderr);
    if (body === null) return exit(1);
    deps.stdout.write(options.json ? `${JSON.stringify(body)}\n` : show(body));
    exit(codeOf(body));
  };
  addAccounts(program, run, add);
  addKeys(program, run, add);
  addCredits(program, run, add);
  add(
    program,
    'audit',
    'recompute every balance and settlement; exit code 1 when something does not add up',
    'runapi-gateway audit',
  ).action((options: Options) =>
    run<AuditFinding[]>(options, { verb: 'ledger.audit' }, describeFindings, ({ length }) =>
      length === 0 ? 0 : 1,
    ),
  );
}

type Run = <Body>(
  options: Options,
  request: AdminRequest,
  show: (body: Body) => string,
  codeOf?: (body: Body) => number,
) => Promise<void>;

function addAccounts(program: Command, run: Run, add: Add): void {
  const accounts = program.command('accounts').description('who pays');
  add(accounts, 'list', 'all accounts with their balances', 'runapi-gateway accounts list').action(
    (options: Options) =>
      run<AccountRecord[]>(options, { verb: 'accounts.list' }, describeAccounts),
  );
  add(
    accounts,
    'create',
    'a new account',
    'runapi-gateway accounts create "Design team" design@example.com',
  )
    .argument('<name>', 'its name')
    .argument('<email>', 'its e-mail address; one account each')
    .option('--track', 'pays for its own use: priced and recorded, never refused for its balance')
    .option('--concurrent <n>', 'unfinished tasks at once, over all its keys', whole)
    .action((name: string, email: string, options: Options) => {
      const billing: Billing = options['track'] ? 'track' : 'prepaid';
      const concurrentMax = (options['concurrent'] as number | undefined) ?? null;
      return run<{ accountId: number }>(
        options,
        { verb: 'accounts.create', name, email, billing, concurrentMax },
        ({ accountId }) =>
          `Account ${accountId} is made. Next: runapi-gateway credits grant ${accountId} 1000; runapi-gateway keys create --account ${accountId} "first key"\n`,
      );
    });
}

function addKeys(program: Command, run: Run, add: Add): void {
  const keys = program.command('keys').description('what callers send');
  add(keys, 'list', 'all keys', 'runapi-gateway keys list').action((options: Options) =>
    run<KeyRecord[]>(options, { verb: 'keys.list' }, describeKeys),
  );
  add(
    keys,
    'create',
    'a new key; it is shown once',
    'runapi-gateway keys create "CI" --spend-per-day 500 --requests-per-minute 60',
  )
    .argument('<name>', 'what it is for')
    .option('--account <id>', 'whose key', whole, 1)
    .option('--owner <who>', 'whom it is given to')
    .option('--sandbox', 'a runapi_test_ key: no upstream, no money')
    .option('--scopes <list>', `of ${SCOPES.join(', ')}`, readScopes, ['tasks', 'chat', 'files'])
    .option('--expires-in <days>', 'days until it ends', whole)
    .option('--requests-per-minute <n>', 'creates a minute', whole)
    .option('--concurrent <n>', 'unfinished tasks at once', whole)
    .option('--spend-per-day <cents>', 'US cents in a UTC day', whole)
    .option('--spend-per-month <cents>', 'US cents in a UTC month', whole)
    .option('--spend-total <cents>', 'US cents in all', whole)
    .action((name: string, options: Options) => {
      const days = options['expiresIn'] as number | undefined;
      return run<{ id: string; key: string }>(
        options,
        {
          verb: 'keys.create',
          name,
          accountId: options['account'] as number,
          owner: (options['owner'] as string | undefined) ?? null,
          isLive: !options['sandbox'],
          scopes: options['scopes'] as Scope[],
          limits: readLimits(options),
          expiresInMs: days === undefined ? null : days * DAY_MS,
        },
        ({ id, key }) => `${key}\nThis is key ${id}. It is shown only now.\n`,
      );
    });
  add(keys, 'revoke', 'end a key for good, within a second', 'runapi-gateway keys revoke CI')
    .argument('<key>', 'its id, name or shown prefix')
    .action((key: string, options: Options) =>
      run<KeyRecord>(options, { verb: 'keys.revoke', key }, ({ name }) => `${name} is revoked.\n`),
    );
  add(
    keys,
    'rotate',
    'a new key like an old one, which goes on for a while',
    'runapi-gateway keys rotate CI --overlap 24',
  )
    .argument('<key>', 'its id, name or shown prefix')
    .option('--overlap <hours>', 'how long the old one still works', whole, 24)
    .action((key: string, options: Options) =>
      run<{ id: string; key: string }>(
        options,
        { verb: 'keys.rotate', key, overlapMs: (options['overlap'] as number) * HOUR_MS },
        (made) =>
          `${made.key}\nThis is key ${made.id}. It is shown only now; the old one works for ${options['overlap']} more hours.\n`,
      ),
    );
}

function addCredits(program: Command, run: Run, add: Add): void {
  const credits = program.command('credits').description('what accounts may spend');
  add(
    credits,
    'grant',
    'add credits, or take back with a minus',
    'runapi-gateway credits grant 1 5000 --reason "invoice 17"',
  )
    .argument('<account>', 'its id', whole)
    .argument('<cents>', 'US cents; after --, a minus takes back', cents)
    .option('--reason <text>', 'kept in the ledger', 'granted by the operator')
    .action((accountId: number, amount: number, options: Options) =>
      run<{ available: number }>(
        options,
        { verb: 'credits.adjust', accountId, amount, reason: String(options['reason']) },
        ({ available }) => `Account ${accountId} has ${formatCents(available)} to spend.\n`,
      ),
    );
  add(credits, 'balance', 'balances of all accounts', 'runapi-gateway credits balance').action(
    (options: Options) =>
      run<AccountRecord[]>(options, { verb: 'accounts.list' }, describeAccounts),
  );
  add(
    credits,
    'statement',
    `the last ${LINES} movements of an account`,
    'runapi-gateway credits statement 1',
  )
    .argument('<account>', 'its id', whole)
    .action((accountId: number, options: Options) =>
      run<LedgerLine[]>(
        options,
        { verb: 'credits.statement', accountId, limit: LINES },
        describeLines,
      ),
    );
}

function describeAccounts(accounts: readonly AccountRecord[]): string {
  return table(
    ['ACCOUNT', 'NAME', 'E-MAIL', 'BILLING', 'AVAILABLE', 'HELD', 'SPENT'],
    accounts.map(({ id, name, email, billing, balance }) => [
      String(id),
      name,
      email,
      billing,
      ...[balance.available, balance.held, balance.revenue].map((amount) =>
        String(microCentsToCents(amount)),
      ),
    ]),
  );
}

function describeKeys(keys: readonly KeyRecord[]): string {
  const stateOf = (key: KeyRecord) =>
    key.revokedAt !== null ? 'revoked' : key.isExpired ? 'expired' : 'active';
  const day = (at: number | null) => (at === null ? '' : new Date(at).toISOString().slice(0, 16));
  return table(
    ['KEY', 'ACCOUNT', 'NAME', 'OWNER', 'BEGINS', 'STATE', 'SCOPES', 'LAST USED', 'EXPIRES'],
    keys.map((key) => [
      key.id,
      String(key.accountId),
      key.name,
      key.owner ?? '',
      `${key.prefix}…`,
      stateOf(key),
      key.scopes.join(','),
      day(key.lastUsedAt),
      day(key.expiresAt),
    ]),
  );
}

function describeLines(lines: readonly LedgerLine[]): string {
  return table(
    ['WHEN', 'WHAT', 'CENTS', 'FROM', 'TO', 'TASK OR GRANT', 'REASON'],
    lines.map((line) => [
      new Date(line.createdAt).toISOString(),
      line.kind,
      String(microCentsToCents(line.amount)),
      line.from,
      line.to,
      line.subjectId,
      line.reason ?? '',
    ]),
  );
}

function describeFindings(findings: readonly AuditFinding[]): string {
  if (findings.length === 0) return 'All balances and settlements add up.\n';
  return table(
    ['RULE', 'OF', 'EXPECTED', 'FOUND'],
    findings.map(({ check, subject, expected, found }) => [check, subject, expected, found]),
  );
}

function readLimits(options: Options): KeyLimits {
  const number = (name: string) => options[name] as number | undefined;
  const money = (name: string) => {
    const value = number(name);
    return value === undefined ? undefined : centsToMicroCents(value);
  };
  const limits = {
    requestsPerMinute: number('requestsPerMinute'),
    concurrentTasks: number('concurrent'),
    spendPerDay: money('spendPerDay'),
    spendPerMonth: money('spendPerMonth'),
    spendTotal: money('spendTotal'),
  };
  return Object.fromEntries(
    Object.entries(limits).filter(([, value]) => value !== undefined),
  ) as KeyLimits;
}

function readScopes(text: string): Scope[] {
  const named = text.split(',').map((one) => one.trim());
  const unknown = named.find((one) => !SCOPES.includes(one as Scope));
  if (unknown === undefined) return named as Scope[];
  throw new AppError('config_invalid', `${unknown} is no scope: one of ${SCOPES.join(', ')}.`);
}

function whole(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new AppError('config_invalid', `${text} is not a whole number above 0.`);
}

function cents(text: string): number {
  if (!/^-?[1-9]\d{0,8}$/.test(text)) {
    throw new AppError('config_invalid', `${text} is not a whole number of US cents.`);
  }
  const amount = Number(text);
  return Math.sign(amount) * centsToMicroCents(Math.abs(amount));
}
