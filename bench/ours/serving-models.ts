import { elementCount } from '../../src/onnx/tensor.ts';
/**
 * What putting requests together costs and brings: answers a second of a model behind the gateway's queue, asked by 1 to 128 callers one sample at a time, beside the runtime itself
 * asked in batches; CPU time of the whole process for an answer, and how long the main thread is busy with one.
 * `node bench/ours/serving-models.ts MODEL.onnx [SIZE…]` prints a table (SIZEs where the file leaves a sample's open); rates mean nothing on a busy machine, CPU times little.
 */

import { availableParallelism } from 'node:os';
import { randomFrom } from '../../src/core/random.ts';
import { openEmbedded } from '../../src/gateway/backend/embedded.ts';
import { startEmbedded } from '../../src/gateway/backend/embedded-runtime.ts';
import { memoryBound } from '../../src/gateway/backend/memory-bound.ts';
import { readModel } from '../../src/onnx/read.ts';
import { openOnLanes } from '../../src/runtime/sharded.ts';

const SECONDS = 2;
const CALLERS = [1, 4, 16, 64, 128] as const;
const BATCHES = [1, 8, 32] as const;

/** A rate, and what an answer takes. */
interface Measured {
  readonly perSecond: number;
  readonly cpu: number;
  readonly main: number;
}

const cpuMicroseconds = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** `callers` ask again as soon as they have an answer; each answer counts `samples`. */
async function underLoad(callers: number, samples: number, ask: () => Promise<unknown>): Promise<Measured> {
  const during = async (seconds: number): Promise<number> => {
    const until = performance.now() + 1000 * seconds;
    let answered = 0;
    const call = async (): Promise<void> => {
      while (performance.now() < until) {
        await ask();
        answered += samples;
      }
    };
    await Promise.all(Array.from({ length: callers }, call));
    return answered;
  };
  await during(SECONDS / 4);
  const [start, cpu, loop] = [performance.now(), cpuMicroseconds(), performance.eventLoopUtilization()];
  const answered = await during(SECONDS);
  return {
    perSecond: (1000 * answered) / (performance.now() - start),
    cpu: (cpuMicroseconds() - cpu) / answered,
    main: (1000 * performance.eventLoopUtilization(loop).active) / answered,
  };
}

function row(what: string, { perSecond, cpu, main }: Measured): string {
  return `${what.padEnd(32)}${perSecond.toFixed(0).padStart(10)}${cpu.toFixed(0).padStart(10)}${main.toFixed(0).padStart(10)}`;
}

async function main([path, ...sizes]: readonly string[]): Promise<void> {
  if (path === undefined) throw new Error('expected MODEL.onnx');
  const file = await readModel(path);
  const threads = availableParallelism();
  const runtime = startEmbedded(memoryBound(2 ** 36), { threads });
  const served = await openEmbedded(file, runtime, {
    ...{ name: 'model', version: '1', digest: file.file.digest, classifier: {}, features: false },
    batching: { most: 32, wait: 0, longest: 25, timeout: 60_000, queue: 4096, share: 'auto' },
    mostElements: 2 ** 26,
    again: async () => file,
  });
  const [input] = served.metadata.inputs;
  const dims = input!.shape.slice(1).map((size, i) => (size === -1 ? Number(sizes[i] ?? 1) : size));
  const size = elementCount(dims);
  const rng = randomFrom(1, 'serving-models');
  const x = Float32Array.from({ length: size * 32 }, () => rng.uniform());
  console.log(
    `${'one sample at a time'.padEnd(32)}${'a second'.padStart(10)}${'µs CPU'.padStart(10)}${'µs main'.padStart(10)}`,
  );
  const { signal } = new AbortController();
  for (const callers of CALLERS) {
    const tensor = {
      name: input!.name,
      datatype: 'FP32',
      shape: [1, ...dims],
      data: x.slice(0, size),
    } as const;
    const ask = () => served.run([tensor], { n: 1, signal, features: false });
    console.log(row(`${callers} callers`, await underLoad(callers, 1, ask)));
  }
  console.log(`notes: ${served.notes.join('; ') || 'none'}`);
  await served.close();
  const sessions = await openOnLanes(runtime.engine, file, threads);
  for (const rows of BATCHES) {
    let turn = 0;
    const data = x.slice(0, rows * size);
    const ask = () =>
      sessions[turn++ % threads]!.run({ [input!.name]: { dtype: 'float32', dims: [rows, ...dims], data } });
    console.log(row(`the runtime, batches of ${rows}`, await underLoad(2 * threads, rows, ask)));
  }
  await runtime.close();
}

await main(process.argv.slice(2));
