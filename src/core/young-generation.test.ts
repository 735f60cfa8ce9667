import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { SMALL_YOUNG_GENERATION } from './young-generation.ts';

const MIB = 2 ** 20;
/** Makes objects of which many are young for long, and says how much room V8 took for young ones. */
const CODE = `import { parentPort } from 'node:worker_threads';
import { getHeapSpaceStatistics } from 'node:v8';
const kept = new Array(60_000);
for (let i = 0; i < 3_000_000; i++) kept[i % kept.length] = { a: [1, 2, 3, i], b: 'x' + i };
parentPort.postMessage(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size);`;
const roomOf = async (resourceLimits: object): Promise<number> => {
  const url = new URL(`data:text/javascript,${encodeURIComponent(CODE)}`);
  const [room] = (await once(new Worker(url, { resourceLimits }), 'message')) as [number];
  return room / MIB;
};

it('bounds what V8 takes for young objects, which is many times as much otherwise', async () => {
  expect(await roomOf(SMALL_YOUNG_GENERATION)).toBeLessThanOrEqual(
    SMALL_YOUNG_GENERATION.maxYoungGenerationSizeMb,
  );
  expect(await roomOf({})).toBeGreaterThan(2 * SMALL_YOUNG_GENERATION.maxYoungGenerationSizeMb);
});
