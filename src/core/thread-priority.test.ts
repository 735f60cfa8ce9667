import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';

it.skipIf(process.platform !== 'linux')('lowers the thread that asks for it, and no other', async () => {
  const before = getPriority();
  const module = new URL('./thread-priority.ts', import.meta.url).href;
  const code = `import { getPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
const { letOthersGoFirst } = await import(${JSON.stringify(module)});
letOthersGoFirst();
parentPort.postMessage(getPriority());`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  const lowered = await new Promise((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  );
  expect(lowered).toBe(Math.max(before, 10));
  const [, fields] = (await readFile('/proc/self/stat', 'utf8')).split(') ');
  expect(Number(fields!.split(' ')[16])).toBe(before);
  await worker.terminate();
});

it.skipIf(process.platform !== 'linux')("lowers V8's helpers alone", () => {
  const module = new URL('./thread-priority.ts', import.meta.url).href;
  const code = `import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { letCompilersWait } from ${JSON.stringify(module)};
const threads = () => readdirSync('/proc/self/task').map((id) => [readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim(), getPriority(Number(id))]);
const before = threads();
const found = letCompilersWait();
console.log(JSON.stringify({ before, found, after: threads() }));`;
  const run = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' });
  type Threads = readonly (readonly [name: string, priority: number])[];
  const { before, found, after } = JSON.parse(run.stdout) as {
    before: Threads;
    found: number;
    after: Threads;
  };
  const helpers = (threads: Threads) => threads.filter(([name]) => name === 'V8Worker');
  const others = (threads: Threads) => threads.filter(([name]) => name !== 'V8Worker').map(String);
  expect(found).toBe(helpers(before).length);
  expect(helpers(after).map(([, priority]) => priority)).toEqual(
    helpers(before).map(([, p]) => Math.max(p, 10)),
  );
  for (const thread of others(before)) expect(others(after)).toContain(thread);
  // Older ones give their threads no names.
  if (Number(process.versions.node.split('.')[0]) >= 24) expect(found).toBeGreaterThan(0);
});
