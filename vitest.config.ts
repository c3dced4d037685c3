import { defineConfig } from 'vitest/config';

// The name says what a test needs: `x.test.ts` nothing, `x.part.test.ts` sockets, disk and SQLite. Journeys,
// chaos, packed and offline start real processes; s3 needs OpenStack Swift.
const project = (name: string, include: string, timeoutMs = 30_000, exclude: string[] = []) => ({
  test: { name, include: [include], exclude, testTimeout: timeoutMs, hookTimeout: timeoutMs },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', 'src/**/*.test.ts', 30_000, ['src/**/*.{part,pg}.test.ts']),
      project('part', 'src/**/*.part.test.ts'),
      project('postgres', 'src/**/*.pg.test.ts'),
      project('fleet', 'test/fleet/**/*.test.ts', 120_000),
      project('tidy', 'test/tidy/**/*.test.ts'),
      project('journeys', 'test/journeys/**/*.test.ts', 180_000),
      project('offline', 'test/offline/**/*.test.ts', 300_000),
      project('chaos', 'test/chaos/**/*.test.ts', 900_000),
      project('s3', 'test/s3/**/*.test.ts', 120_000),
      project('packed', 'test/packed/**/*.test.ts', 300_000),
    ],
  },
});
