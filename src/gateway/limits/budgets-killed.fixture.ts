import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { type BudgetsBench, budgetsBench, budgetsFixture } from './budgets.fixture.ts';

const CHILD = fileURLToPath(new URL('./killed-child.fixture.ts', import.meta.url));
const DAY = 86_400_000;

/** Runs a gateway and kills it once it has given `after` queries; how many it gave, and whether it refused by itself. */
function runAndKill(
  bench: BudgetsBench,
  config: object,
  clock: number,
  after: number,
): Promise<{ readonly given: number; readonly refused: boolean }> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', CHILD, bench.file, JSON.stringify(config), String(clock)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  const given = () => text.split('.\n').length - 1;
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString();
    if (given() >= after) child.kill('SIGKILL');
  });
  return new Promise((resolve) =>
    child.once('close', () => resolve({ given: given(), refused: text.endsWith('refused\n') })),
  );
}

/**
 * Kills a gateway in the middle that many times, with the clock set forward or back in between: what was given never comes back, and at
 * most a lease is lost each time.
 */
export async function holdsAgainstKills(rounds: number): Promise<void> {
  const bench = await budgetsBench();
  const lease = 40;
  const limit = 6000;
  const config = { limits: [{ per: 'principal', queries: limit }], lease, timeout: '1 minute' };
  const random = randomFrom(7);
  let given = 0;
  for (let round = 0; round < rounds; round++) {
    const clock = [0, 400 * DAY, -400 * DAY][round % 3]!;
    const after = 1 + Math.floor(random.uniform() * (limit / rounds / 2));
    given += (await runAndKill(bench, config, clock, after)).given;
    const budgets = await bench.open(budgetsFixture(limit, { lease }));
    const { used } = await budgets.state('alice', 'm');
    await budgets.close();
    expect(used, `after round ${round}`).toBeGreaterThanOrEqual(given);
    expect(used, `after round ${round}`).toBeLessThanOrEqual(given + (round + 1) * lease);
  }
  const last = await runAndKill(bench, config, 800 * DAY, Number.POSITIVE_INFINITY);
  expect(last.refused).toBe(true);
  expect(given + last.given).toBeLessThanOrEqual(limit);
  expect(given + last.given).toBeGreaterThanOrEqual(limit - rounds * lease);
  await bench.end();
}
