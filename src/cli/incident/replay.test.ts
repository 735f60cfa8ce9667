import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logFolder } from '../../gateway/record/log-folder.ts';
import { openRecorder } from '../../gateway/record/open-recorder.ts';
import { decision, recordConfig } from '../../gateway/record/record.fixture.ts';
import { openDesk } from '../../incident/incident.fixture.ts';
import { graph, model, node, value } from '../../onnx/model.fixture.ts';
import { float32Tensor } from '../../onnx/tensor.ts';
import { serializeModel } from '../../onnx/write.ts';
import { openStore } from '../../store/index.ts';
import { readArgs } from '../args.ts';
import { command } from '../incident.ts';

const COUNT = 60;
let data = '';
let good = '';
const at = (...path: readonly string[]) => join(data, ...path);

/** A log whose model said class 0 of everything, and a good one that says the class with the greatest input. */
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'glacis-replay-'));
  good = at('good.onnx');
  const net = model(
    graph({
      inputs: [value('x', ['n', 3])],
      outputs: [value('y', ['n', 3])],
      initializers: { b: float32Tensor([3], new Float32Array(3)) },
      nodes: [node('Add', ['x', 'b'], ['y'])],
    }),
  );
  await writeFile(good, serializeModel(net));
  const recorder = await openRecorder(
    recordConfig({ origin: 'glacis.local/decisions', who: 'sealed', payloads: { keep: 'input' } }),
    {
      folder: at('record'),
    },
  );
  await Promise.all(
    Array.from({ length: COUNT }, (_, i) => {
      const x = Float32Array.from([0, 0, 0]);
      x[i % 3] = 1 + i / 100;
      const of = decision(i, {
        model: 'signs',
        top: [[0, 0.9]],
        principal: i % 2 === 0 ? 'ann' : '\u001b[2Jeve',
      });
      const input = [new Uint8Array(x.buffer)];
      return recorder.record(of, i % 10 === 4 ? undefined : { input, output: [] });
    }),
  );
  await recorder.receipt(COUNT - 1);
  await recorder.close();
});
afterAll(() => rm(data, { recursive: true, force: true }));

async function incident(...args: readonly string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const print = (more: string) => {
    text += more;
  };
  const silent = { say: () => {}, progress: () => {}, clear: () => {}, bold: (each: string) => each };
  const { signal } = new AbortController();
  const given = readArgs(args, command.options);
  const code = await command.run({ given, args, terminal: { width: 120, print, ...silent }, signal });
  return { code, text };
}

describe('a replay without a server', () => {
  it('says which decisions a good file would have made otherwise, from the log and what it kept', async () => {
    const json = at('replay.json');
    const { code, text } = await incident('replay', at('record'), '--on', good, '--json', json);
    expect(code).toBe(0);
    const found = JSON.parse(await readFile(json, 'utf8'));
    // Every third is of class 0; of the six whose input was not kept, nothing is said.
    expect(found).toMatchObject({
      ...{ schema: 'glacis.incident.replay/1', state: 'done', looked: COUNT, affected: COUNT },
      ...{ replayed: 54, unkept: 6, against: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
    });
    const expected = Array.from({ length: COUNT }, (_, i) => i).filter((i) => i % 3 !== 0 && i % 10 !== 4);
    expect(found.different).toBe(expected.length);
    const rows = found.rows.filter((row: { different: boolean }) => row.different);
    expect(rows.map(({ entry }: { entry: number }) => entry)).toEqual(expected);
    expect(rows.every(({ entry, now }: { entry: number; now: number[][] }) => now[0]![0] === entry % 3)).toBe(
      true,
    );
    expect(text).toContain('6 could not be replayed');
    expect(text).toMatch(/signs {2}0 \(0\.900\) → 1 \(0\.\d+\)/);
    expect(text).not.toContain('\u001b');
  });

  it('asks about some of them, also who is sealed, in rows that are bounded', async () => {
    const json = at('some.json');
    const of = ['--model', 'signs', '--principal', 'ann', '--after', '2023-11-14T22:13:20.010Z'];
    await incident('replay', at('record'), '--on', good, ...of, '--limit', '5', '--json', json);
    const found = JSON.parse(await readFile(json, 'utf8'));
    expect(found).toMatchObject({ affected: 25, principals: [{ principal: 'ann', decisions: 25 }] });
    expect(found.rows).toHaveLength(5);
  });

  it('goes into a case and its evidence, which verifies', async () => {
    const store = await openStore({ kind: 'sqlite', file: at('glacis.db') });
    const { incidents } = openDesk(store);
    const { id } = await incidents.open(
      { title: 't', why: '', kind: 'fault', severity: 'low', model: 'signs', principals: [], decisions: [] },
      'ann',
    );
    await incidents.close();
    await store.close();
    const json = at('impact.json');
    const done = await incident(
      'impact',
      id,
      '--on',
      good,
      '--model',
      'signs',
      '--data-dir',
      data,
      '--json',
      json,
    );
    expect(done).toMatchObject({ code: 0, text: expect.stringMatching(/evidence sha256:/) });
    const { bundle, against, different } = JSON.parse(await readFile(json, 'utf8'));
    expect(different).toBe(36);
    const zip = at('evidence', `${bundle.digest.slice(7)}.zip`);
    const trust = logFolder(at('record')).trustFile;
    const verified = await incident('verify', zip, '--trust', trust);
    // The case was opened in a store without a log: that alone is not proven.
    expect(verified.text).toContain('ok      impact/');
    expect((await readFile(zip)).includes(against)).toBe(true);
  });

  it('says what is missing', async () => {
    await expect(incident('replay', at('record'))).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(
      incident('replay', at('record', 'log'), '--on', good, '--trust', logFolder(at('record')).trustFile),
    ).rejects.toThrow(/folder of a recorder/);
    await writeFile(at('bad.onnx'), 'not a model');
    await expect(incident('replay', at('record'), '--on', at('bad.onnx'))).rejects.toMatchObject({
      code: 'model/unsupported-task',
    });
    await expect(
      incident('list', '--on', good, '--url', 'http://127.0.0.1:1', '--key-file', good),
    ).rejects.toThrow(/expected no --url/);
  });
});
