import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GlacisError } from '../../src/core/error.ts';
import { killGateway } from '../../src/gateway/killed-gateway.fixture.ts';

/**
 * Kills a whole gateway under load `--rounds` times and writes what came of it to `--out`: `node bench/ours/killed-gateway.ts --rounds 50 --out bench/results/killed-gateway.json`.
 * No clock is in the result, so a busy machine does no harm. Errors: `run/failed` where a decision is missing or a budget was refilled, those of verifying the log.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '50' }, out: { type: 'string' } },
    strict: true,
  });
  const folder = await mkdtemp(join(tmpdir(), 'glacis-killed-'));
  const after = (round: number) => ({ answers: 1, milliseconds: (round * 337) % 1999 });
  const result = await killGateway(folder, Number(values.rounds), after, (text) => console.error(text));
  const text = `${JSON.stringify(result, null, 2)}\n`;
  if (values.out !== undefined) await writeFile(values.out, text);
  process.stdout.write(text);
  await rm(folder, { recursive: true });
  if (result.missing.length + result.refilled.length > 0)
    throw new GlacisError('run/failed', 'expected every decision in the log, and no budget refilled');
}

await main();
