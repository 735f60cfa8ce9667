import { parseArgs } from 'node:util';
import { startEngine } from '../../src/runtime/engine.ts';
import { exportWorld, measureWorld, worldsOf } from './guards/exact/constraints.ts';
import { measureFeeds } from './guards/exact/feeds.ts';
import type { Part } from './guards/exact/frozen.ts';
import { exportDigits, measureInput } from './guards/exact/input.ts';

/**
 * What the guards that are exact (`input`, `constraints`, `feeds`) refuse of calm inputs, accidents, attacks and attackers who know them: JSON lines `exact`. With `--export` only
 * writes what the peers attack into the folder; `--folder` is where they left what they made.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      part: { type: 'string' },
      guard: { type: 'string' },
      folder: { type: 'string' },
      export: { type: 'boolean' },
      threads: { type: 'string' },
    },
    strict: true,
  });
  const part: Part = values.part === 'final' ? 'final' : 'development';
  const folder = values.folder!;
  const engine = startEngine({ threads: Number(values.threads ?? 1) });
  try {
    if (values.guard === 'constraints')
      for (const world of await worldsOf(part))
        if (values.export) await exportWorld(engine, folder, world);
        else await measureWorld(engine, folder, world, part);
    else if (values.guard === 'input')
      await (values.export ? exportDigits : measureInput)(engine, folder, part);
    else if (values.guard === 'feeds') await measureFeeds(engine, folder, part);
  } finally {
    await engine.close();
  }
}

await main();
