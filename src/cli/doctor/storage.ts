import { type Check, type DatabaseProbe, type Finding, finding } from './check.ts';

const SLOW_MS = 500;

export const checkStorage: Check = async ({ probeStorage }) => {
  const { blobs, database } = await probeStorage();
  return [...describeDatabase(database), describeBlobs(blobs)];
};

function describeBlobs(blobs: { where: string } & ({ ms: number } | { error: string })): Finding {
  if ('error' in blobs) return finding('images', 'fail', `${blobs.where}: ${blobs.error}`);
  const text = `${blobs.where}: written, read and deleted in ${Math.round(blobs.ms)} ms`;
  return finding('images', blobs.ms > SLOW_MS ? 'warn' : 'ok', text);
}

function describeDatabase(probe: DatabaseProbe): Finding[] {
  const name = 'database';
  if (probe.kind === 'failed') return [finding(name, 'fail', probe.error)];
  const pending =
    probe.missing.length === 0
      ? []
      : [
          finding(
            name,
            'warn',
            `not up to date (${probe.missing.join(', ')}): the next start migrates, or: runapi-gateway migrate`,
          ),
        ];
  if (probe.kind === 'sqlite') {
    return [finding(name, 'ok', probe.where), ...pending];
  }
  const findings = [
    finding(
      name,
      probe.ms > SLOW_MS ? 'warn' : 'ok',
      `${probe.where}: answers in ${Math.round(probe.ms)} ms`,
    ),
    ...pending,
  ];
  if (probe.isPooler) {
    const text =
      'DATABASE_URL is a transaction pooler: set DATABASE_DIRECT_URL to the server itself, for LISTEN and migrations';
    findings.push(finding(name, 'fail', text));
  }
  const hashes = new Set(probe.nodes.map(({ settingsHash }) => settingsHash));
  if (hashes.size > 1) {
    const names = probe.nodes.map((node) => `${node.name} ${node.settingsHash}`).join(', ');
    findings.push(
      finding('nodes', 'warn', `differ in catalogue, routes or task settings: ${names}`),
    );
  } else if (probe.nodes.length > 0) {
    findings.push(finding('nodes', 'ok', probe.nodes.map((node) => node.name).join(', ')));
  }
  return findings;
}
