// Finds the npm process that runs the current script, so that a watcher can outlive it.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

interface ProcessFacts {
  parent: number;
  name: string;
}

/** Null where it cannot be told (Windows). npm starts a script through a shell, which may have stepped aside. */
export function findNpmPid(): number | null {
  const parent = readProcess(process.ppid);
  if (parent === null) return null;
  return /^-?(ba|da|z|k|a)?sh$/.test(parent.name) ? parent.parent : process.ppid;
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function readProcess(pid: number): ProcessFacts | null {
  if (process.platform === 'win32') return null;
  if (!existsSync('/proc/self/stat')) return askPs(pid);
  // `pid (name) state parent …`; the name may hold spaces and brackets.
  const match = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return match ? { name: match[1] ?? '', parent: Number(match[2]) } : null;
}

function askPs(pid: number): ProcessFacts | null {
  const line = execFileSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' });
  const match = /^\s*(\d+)\s+(?:.*\/)?(\S+)\s*$/.exec(line);
  return match ? { name: match[2] ?? '', parent: Number(match[1]) } : null;
}
