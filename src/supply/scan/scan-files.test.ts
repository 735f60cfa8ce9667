import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_SCAN_LIMITS } from './limits.ts';
import { op, PAYLOAD, pickle } from './pickle/pickle.fixture.ts';
import { scanFiles, startThreads } from './scan-files.ts';
import { scanPaths } from './scan-paths.ts';
import type { SourceResult } from './scan-source.ts';
import { walk } from './walk.ts';
import { openWalkScan } from './walk-scan.ts';

let folder: string;
const at = (...steps: readonly string[]) => join(folder, ...steps);
/** A protocol buffer's field with a length in front. */
const field = (number: number, ...parts: readonly (string | Uint8Array)[]) => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.of((number << 3) | 2, body.length), body]);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-threads-'));
  await mkdir(at('models'));
  for (let i = 0; i < 12; i++)
    await writeFile(
      at('models', `${String(i).padStart(2, '0')}.pkl`),
      pickle(i % 5 === 3 ? PAYLOAD : op('NONE')),
    );
  // A model before its weights and one behind them, which it has to vouch for.
  const location = (name: string) => field(13, field(1, 'location'), field(2, name));
  const model = (weights: string) =>
    Buffer.concat([
      Buffer.of(0x08, 8),
      field(
        7,
        field(5, Buffer.of(0x08, 1, 0x10, 1, 0x70, 1), field(8, 'w'), location(weights)),
        field(2, 'g'),
      ),
      field(8, Buffer.of(0x10, 17)),
    ]);
  await writeFile(at('models', 'a.onnx'), model('b.bin'));
  await writeFile(at('models', 'b.bin'), Buffer.of(0xfe, 0xff, 0xfe, 0xff));
  await writeFile(at('models', 'c.bin'), Buffer.of(0xfe, 0xff, 0xfe, 0xff));
  await writeFile(at('models', 'd.onnx'), model('c.bin'));
  await writeFile(at('models', 'e.bin'), Buffer.of(0xfe, 0xff, 0xfe, 0xff));
  // So that threads are worth their start.
  await writeFile(at('large.bin'), '');
  await truncate(at('large.bin'), 64 << 20);
});
afterAll(() => rm(folder, { recursive: true }));

describe('scanning with several threads', () => {
  it('gives the same result, in the same order, as with one', async () => {
    const run = async (threads: number) => {
      const told: string[] = [];
      const result = await scanPaths([folder], { threads, onFile: ({ path }) => told.push(path) });
      expect(told).toEqual(result.files.map(({ path }) => path));
      return result;
    };
    const alone = await run(1);
    expect(alone.files.filter(({ verdict }) => verdict === 'malicious')).toHaveLength(2);
    const unknown = alone.files.filter(({ findings }) =>
      findings.some(({ rule }) => rule === 'file/unknown-format'),
    );
    expect(unknown.map(({ path }) => path)).toEqual([at('large.bin'), at('models', 'e.bin')]);
    expect(await run(3)).toEqual(alone);
  });

  it('calls a file in which a thread is lost unreadable, and scans the others', async () => {
    const found = await walk(folder);
    const options = { limits: DEFAULT_SCAN_LIMITS, now: () => performance.now() };
    for (const program of [
      "require('worker_threads').parentPort.on('message', () => process.exit(1))",
      "throw new Error('broken')",
    ]) {
      const own = openWalkScan(folder, found, options);
      const results: (readonly [string, SourceResult])[] = [];
      const threads = startThreads({
        ...options,
        root: folder,
        walk: found,
        threads: 2,
        start: () => new Worker(program, { eval: true }),
      });
      expect(threads.helpers).toHaveLength(1);
      const { files } = found;
      await scanFiles({ files, own, threads }, (path, result) => void results.push([path, result]));
      threads.end();
      expect(results.map(([path]) => path)).toEqual(found.files.map(({ path }) => path));
      const lost = results.filter(([, { findings }]) =>
        findings.some(({ rule }) => rule.id === 'file/scanner-failed'),
      );
      expect(lost).toMatchObject([[expect.any(String), { verdict: 'unreadable', unknown: false }]]);
    }
  });

  it('ends all threads when it is cancelled, and tells nothing more', async () => {
    const controller = new AbortController();
    const told: string[] = [];
    const onFile = ({ path }: { readonly path: string }) => {
      told.push(path);
      controller.abort('Ctrl-C');
    };
    await expect(
      scanPaths([folder], { threads: 3, onFile, signal: controller.signal }),
    ).rejects.toMatchObject({
      code: 'run/cancelled',
    });
    expect(told).toHaveLength(1);
  });
});
