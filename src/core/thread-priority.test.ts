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
