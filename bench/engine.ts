// Seconds per picture of the built-in engine, and what they cost in memory.
import { createEngine } from '../src/engine/index.ts';
import { median } from './load.ts';

const PROMPT =
  'A product photo of a glass perfume bottle on a marble surface, transparent background, the label reads AURORA in gold serif font';

const SIZES = [
  ['1k 3:4', 864, 1152],
  ['2k 3:4', 1728, 2304],
  ['4k 3:4', 2448, 3264],
] as const;

export interface EngineRow {
  name: string;
  seconds: number;
  /** Of this process, after the picture. */
  rssMb: number;
}

export async function measureEngine(rounds: number): Promise<EngineRow[]> {
  const engine = createEngine();
  const times = new Map<string, number[]>();
  const memory = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, width, height] of SIZES) {
      const startedAt = performance.now();
      await engine.render(
        {
          prompt: PROMPT,
          width,
          height,
          background: 'transparent',
          seed: round,
          sources: [],
          format: 'png',
        },
        { signal: new AbortController().signal, onProgress: () => {} },
      );
      times.set(name, [...(times.get(name) ?? []), (performance.now() - startedAt) / 1000]);
      memory.set(name, process.memoryUsage.rss() / 2 ** 20);
    }
  }
  await engine.stop();
  return SIZES.map(([name]) => ({
    name,
    seconds: median(times.get(name) ?? []),
    rssMb: memory.get(name) ?? 0,
  }));
}
