import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkerOptions } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import { serializeModel } from '../onnx/write.ts';
import { hiddenModel } from '../threat/small-model.fixture.ts';
import { readServe } from './config/read-serve.ts';
import { openProcessLog } from './observe/process-log.ts';
import { openGateway } from './open-gateway.ts';

/** Most mebibytes of young objects, by the file of the thread. */
const limits: [string, number | undefined][] = [];
vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof import('node:worker_threads')>();
  class Worker extends real.Worker {
    constructor(file: URL, options: WorkerOptions) {
      super(file, options);
      const { maxYoungGenerationSizeMb: most } = options.resourceLimits ?? {};
      limits.push([/([\w-]+)\.[jt]s$/.exec(String(file))![1]!, most]);
    }
  }
  return { ...real, Worker };
});

it('threads that write, watch and index keep little room for young objects, however long a gateway runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-young-'));
  writeFileSync(join(folder, 'm.onnx'), serializeModel(hiddenModel(5, 8, 3)));
  const serve = {
    ...{ listen: { port: 0 }, management: { port: 0 } },
    models: { m: { file: 'm.onnx', check: { asGiven: true } } },
  };
  const { config } = readServe(JSON.stringify({ serve }), 'test');
  const around = { folder, dataFolder: join(folder, 'data'), env: {}, home: folder };
  const gateway = await openGateway({ config, ...around, log: openProcessLog({ write: () => {} }) });
  await gateway.drain();
  rmSync(folder, { recursive: true });
  const young = Object.fromEntries(limits);
  for (const thread of ['record-worker', 'live-worker', 'hub-worker', 'sqlite-worker'])
    expect([thread, young[thread]]).toEqual([thread, 12]);
});
