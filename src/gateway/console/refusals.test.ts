import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Tensor } from '../../oip/index.ts';
import { openAssessments } from './assessments/open-assessments.ts';
import { type LabShelf, labModels } from './lab-models.ts';
import { openPages } from './pages.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-console-refusals-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('pages that were not built', () => {
  it('are a page that says so, and no files; once they are built they are there', async () => {
    const pages = openPages(folder);
    const page = await pages.at('', undefined);
    expect(page).toMatchObject({ status: 503, bytes: expect.stringContaining('not built') });
    await expect(pages.at('assets/console.js', undefined)).rejects.toMatchObject({
      refusal: 'unknown',
      because: 'the console is not built',
    });
    await writeFile(join(folder, 'index.html'), '<!doctype html>');
    await writeFile(join(folder, 'notes.txt'), 'not for anybody');
    expect((await pages.at('cases', undefined)).status).toBeUndefined();
    for (const path of ['assets/console.js', 'notes.txt'])
      await expect(pages.at(path, undefined), path).rejects.toMatchObject({
        refusal: 'unknown',
        because: 'no such file of the console',
      });
  });
});

describe('models of the lab', () => {
  const scores: Tensor = { name: 'y', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) };
  const asking = async (outputs: readonly Tensor[]) => {
    const served = {
      ...{ name: 'net', version: '1', digest: 'sha256:1', metadata: { inputs: [{ name: 'x' }] } },
      classifier: { input: 'x', sampleDims: [2], output: 'y', classes: 2, gives: 'logits' },
      run: async () => ({ outputs }),
    };
    const backends = { status: () => [{ model: 'net', use: '1' }], find: () => served };
    const [model] = labModels({
      backends: backends as unknown as LabShelf['backends'],
      config: () => ({ models: {} }),
      placeOf: (path) => path,
    });
    return model!.ask(Float32Array.of(0, 0), 1, new AbortController().signal);
  };

  it('give scores, or what asked them fails: it does not go on without', async () => {
    expect([...(await asking([scores]))]).toEqual([1, 2]);
    for (const outputs of [[], [{ ...scores, name: 'z' }]])
      await expect(asking(outputs)).rejects.toMatchObject({
        refusal: 'failed',
        because: expect.stringContaining('expected scores'),
      });
  });
});

describe('the thread that reads assessments', () => {
  it('leaves nobody waiting when it ends, and another one answers after it', async () => {
    const assessments = openAssessments(folder);
    const started = new Promise<Worker>((done) => process.once('worker', done));
    const asked = assessments.text('x');
    await (await started).terminate();
    await expect(asked).rejects.toMatchObject({
      code: 'data/unreadable',
      message: 'assessments: the thread that reads them has ended',
    });
    expect(await assessments.text('x')).toBeUndefined();
    const waiting = assessments.text('x');
    await assessments.close();
    await expect(waiting).rejects.toMatchObject({ message: 'assessments: the server is closing' });
  });
});
