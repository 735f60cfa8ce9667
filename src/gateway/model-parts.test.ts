import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readServe } from './config/read-serve.ts';
import { openModelParts } from './model-parts.ts';
import { modelFixture } from './pipeline.fixture.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-parts-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the verifying model', () => {
  const [first, second] = [modelFixture({ version: '1' }), modelFixture({ version: '2' })];
  const opened = (verify: string) => {
    const { config } = readServe(`serve: { verify: { model: '${verify}', action: flag } }`, 'a test');
    const parts = openModelParts(config, {
      secret: new Uint8Array(32),
      now: () => 0,
      failed: () => {},
      find: (model, version) =>
        model === 'm' ? [first, second].find((each) => each.version === version) : undefined,
      reviews: undefined,
      marks: undefined,
      memoryFolder: folder,
      placeOf: (path) => path,
    });
    for (const model of [first, second]) parts.prepare(model);
    return parts;
  };

  it('checks another version of its own name, and not itself', () => {
    const parts = opened('m@2');
    expect(parts.verifier(first)).toBeDefined();
    expect(parts.verifier(second)).toBeUndefined();
  });

  it('ends calls where it is not served', () => {
    expect(() => opened('other').verifier(first)).toThrow(
      expect.objectContaining({ code: 'option/invalid' }),
    );
  });
});
