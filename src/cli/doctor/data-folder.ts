import { access, constants, stat, statfs } from 'node:fs/promises';
import { toError } from '../../kernel/app-error.ts';
import { type Check, finding } from './check.ts';

const FREE_MIB_WARN = 1_024;
/** Of `statfs`: NFS, SMB and CIFS, whose locks SQLite cannot trust. */
const NETWORK_TYPES = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42]);

export const checkDataFolder: Check = async ({ dataDir, isOnPostgres }) => {
  const name = 'data folder';
  try {
    if (!(await stat(dataDir)).isDirectory()) {
      return [finding(name, 'fail', `${dataDir} is no folder: set RUNAPI_GATEWAY_DATA_DIR`)];
    }
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return [finding(name, 'warn', `${dataDir} does not exist yet; the first start makes it`)];
    }
    return [finding(name, 'fail', `${dataDir}: ${toError(error).message}`)];
  }
  const { bavail, bsize, type } = await statfs(dataDir);
  const freeMiB = Math.floor((bavail * bsize) / 2 ** 20);
  const findings = [
    freeMiB < FREE_MIB_WARN
      ? finding(name, 'warn', `${dataDir} has ${freeMiB} MiB free: make room`)
      : finding(name, 'ok', `${dataDir}, ${freeMiB} MiB free`),
  ];
  if (!isOnPostgres && NETWORK_TYPES.has(type)) {
    const text = `${dataDir} is on a network file system, which SQLite cannot lock: use a local disk or DATABASE_URL`;
    findings.push(finding(name, 'fail', text));
  }
  return findings;
};
