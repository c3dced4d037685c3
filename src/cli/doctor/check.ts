// A check of the doctor: one look at one thing, with the command or setting that mends it.

export type Verdict = 'ok' | 'warn' | 'fail';

export interface Finding {
  check: string;
  verdict: Verdict;
  /** One line for people. */
  text: string;
}

/** What a check may look at; each part is opened only by the check that needs it. */
export interface Patient {
  dataDir: string;
  nodeVersion: string;
  isOnPostgres: boolean;
  probeStorage(): Promise<StorageProbe>;
}

export interface StorageProbe {
  /** A blob written, read and deleted, in milliseconds; or why not. */
  blobs: { where: string; ms: number } | { where: string; error: string };
  database: DatabaseProbe;
}

export type DatabaseProbe =
  | { kind: 'sqlite'; where: string; missing: readonly string[] }
  | {
      kind: 'postgres';
      where: string;
      missing: readonly string[];
      isPooler: boolean;
      ms: number;
      nodes: readonly { name: string; settingsHash: string }[];
    }
  | { kind: 'failed'; error: string };

export type Check = (patient: Patient) => Promise<readonly Finding[]>;

export const finding = (check: string, verdict: Verdict, text: string): Finding => ({
  check,
  verdict,
  text,
});
