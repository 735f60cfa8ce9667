import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { CELLS, callAbout, calmCalls } from '../attack/calls.fixture.ts';
import { sighting } from '../sighting.fixture.ts';
import type { Sighting } from '../sighting.ts';
import { analysePast } from './analyse-past.ts';
import { calibratePast } from './calibrate-past.ts';
import { blocksOf, pastFromFile, pastFromSightings } from './open-past.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-past-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CHOICE = { kinds: {}, only: {}, calibration: {} };
const written = (name: string, text: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const read = async (path: string, model?: string) => {
  const sightings: Sighting[] = [];
  let skipped = 0;
  for await (const block of blocksOf(pastFromFile(path, model))) {
    sightings.push(...block.sightings);
    skipped += block.skipped;
  }
  return { sightings, skipped };
};
const asJson = (call: Sighting): string =>
  JSON.stringify({ ...call, sketch: call.sketch && { ...call.sketch, values: [...call.sketch.values] } });

/** Columns of features in place of a sketch's cells. */
const csvOf = (calls: readonly Sighting[]): string =>
  [
    `id,time,principal,model,label,score,${Array.from({ length: CELLS }, (_, i) => `f${i}`).join(',')}`,
    ...calls.map(
      ({ id, at, principal, model, top, sketch }) =>
        `${id},${new Date(at).toISOString()},"${principal}",${model},${top![0]![0]},${top![0]![1]},${[...sketch!.values.subarray(0, CELLS)].join(',')}`,
    ),
  ].join('\n');

describe('past decisions', () => {
  test('are read from the lines of an export, events left out', async () => {
    const jsonl = [
      '{"index":7,"schema":"glacis.decision/1","subject":"s","who":{"address":"10.0.0.1","principal":"ann","tenant":"acme"},"decision":{"id":"00112233445566778899aabbccddeeff","at":1790000000000,"model":"digits","version":"1","digest":"sha256:1","n":1,"outcome":"answered","guards":[{"guard":"g","action":"flag","score":2}],"top":[[1,0.5]],"bucket":5}}',
      '{"index":8,"schema":"glacis.event/1","event":{"at":1,"by":"bob","event":"reloaded","about":{}}}',
    ];
    const csv = [
      'index,time,kind,id,principal,tenant,credential,address,subject,model,version,digest,n,outcome,because,detail,guards,bucket,event,by,about,input,output\r',
      '7,"2026-09-21T14:13:20.000Z","decision","00112233445566778899aabbccddeeff","ann","acme",,"10.0.0.1","s","digits","1","sha256:1",1,"answered",,,"g:flag:2",5,,,,"ab","cd"\r',
      '8,"1970-01-01T00:00:00.001Z","event",,,,,,,,,,,,,,,,"reloaded","bob","{}",,\r',
    ];
    for (const [name, lines] of [
      ['export.jsonl', jsonl],
      ['export.csv', csv],
    ] as const) {
      const { sightings } = await read(written(name, `${lines.join('\n')}\n`));
      expect(sightings).toHaveLength(1);
      expect(sightings[0]).toMatchObject({
        ...{
          id: '00112233445566778899aabbccddeeff',
          at: 1_790_000_000_000,
          principal: 'ann',
          tenant: 'acme',
        },
        ...{ address: '10.0.0.1', model: 'digits', digest: 'sha256:1', n: 1, outcome: 'answered', bucket: 5 },
        guards: [{ guard: 'g', action: 'flag', score: 2 }],
      });
      expect(sightings[0]!.sketch).toBeUndefined();
    }
  });

  test('are read from JSON lines of another log, compressed ones included', async () => {
    const lines = '{"id":"a","at":"2026-01-01T00:00:00Z"}\nnonsense\n[]\n{"id":"b","at":5,"model":"other"}';
    const path = written('other.jsonl.gz', gzipSync(lines));
    const { sightings, skipped } = await read(path, 'digits');
    expect(sightings.map(({ id, at, model }) => [id, at, model])).toEqual([
      ['a', Date.UTC(2026, 0, 1), 'digits'],
      ['b', 5, 'other'],
    ]);
    expect(skipped).toBe(2);
  });

  test('columns of a table become features', async () => {
    const path = written('table.csv', 'Time,User,age,"odd ""name""",label\n1790000000,ann,41,,2\n1,"b\n');
    const { sightings, skipped } = await read(path, 'm');
    expect(sightings).toHaveLength(1);
    expect(sightings[0]).toMatchObject({ at: 1.79e12, principal: 'ann', model: 'm', top: [[2, Number.NaN]] });
    expect([...sightings[0]!.sketch!.values]).toEqual([41, Number.NaN]);
    expect(skipped).toBe(1);
  });

  test.each([
    ['strange.parquet', 'x', 'option/invalid'],
    ['headless.csv', 'a,b\n1,2\n', 'data/mismatch'],
    ['bomb.jsonl.gz', gzipSync(Buffer.alloc(3 << 20, 'x')), 'data/too-large'],
    ['cut.jsonl.gz', gzipSync(Buffer.alloc(1000, 'x')).subarray(0, 20), 'data/unreadable'],
  ])('%s is refused', async (name, content, code) => {
    const path = written(name, content);
    await expect((async () => read(path))()).rejects.toMatchObject({ code });
  });

  test('an attack in the past is found, with the monitors that learn from what came before it', async () => {
    const calm = calmCalls(20, 250, 9);
    const from = calm.at(-1)!.at;
    const attack = Array.from({ length: 200 }, (_, i) =>
      callAbout(
        Float32Array.from({ length: CELLS }, (_unused, k) => Math.abs(Math.sin(i * 31 + k * 7))),
        {
          ...{ principal: 'eve', at: from + 100 * i },
        },
      ),
    );
    const path = written('attack.csv', csvOf([...calm, ...attack]));
    const analysis = await analysePast(pastFromFile(path), { choice: CHOICE });
    expect(analysis.decisions).toBe(5200);
    const found = analysis.alarms.filter(({ monitor }) => monitor === 'extraction');
    expect(found[0]).toMatchObject({ kind: 'attack', principals: ['eve'], model: 'digits' });
    const other = await analysePast(pastFromFile(path), { choice: CHOICE, model: 'another' });
    expect(other).toMatchObject({ decisions: 0, skipped: 5200, alarms: [] });
  });

  test('alarms are the same however many threads look', async () => {
    const calm = calmCalls(20, 155, 9);
    const from = calm.at(-1)!.at;
    const attack = Array.from({ length: 100 }, (_, i) =>
      callAbout(
        Float32Array.from({ length: CELLS }, (_unused, k) => Math.abs(Math.sin(i * 31 + k * 7))),
        { principal: 'eve', at: from + 100 * i },
      ),
    );
    // A second model, whose answers change, with no sketches, and refusals that name no version.
    const other = Array.from({ length: 4000 }, (_, i) =>
      sighting({
        ...{ id: `other ${i}`, at: from + 3000 * i, principal: `client ${i % 7}`, model: 'other' },
        ...{
          digest: i % 50 === 0 ? undefined : 'sha256:2',
          outcome: i % 50 === 0 ? 'throttled' : 'answered',
        },
        top: [[(i * 7) % 3, i < 3200 ? 0.9 - 0.001 * (i % 97) : 0.6 - 0.001 * (i % 89)]],
        guards: i % 400 === 399 ? [{ guard: 'near-duplicates', action: 'flag', score: 2 + i / 3000 }] : [],
      }),
    );
    const past = pastFromSightings([...calm, ...attack, ...other], 600);
    const here = await analysePast(past, { choice: CHOICE, threads: 0 });
    expect(new Set(here.alarms.map(({ monitor }) => monitor)).size).toBeGreaterThan(2);
    expect(await analysePast(past, { choice: CHOICE, threads: 3 })).toEqual(here);
  });

  test('calm decisions are measured, and the monitors begin with that', async () => {
    const path = written('calm.jsonl', calmCalls(20, 150, 11).map(asJson).join('\n'));
    const measured = await calibratePast(pastFromFile(path), { choice: CHOICE });
    expect(Object.keys(measured.models.digits!)).toContain('extraction');
    const choice = { ...CHOICE, calibration: JSON.parse(JSON.stringify(measured.models)) };
    const analysis = await analysePast(pastFromFile(path), { choice });
    expect(analysis.states.find(({ monitor }) => monitor === 'extraction')!.phase).toBe('watching');
    expect(analysis.alarms.filter(({ kind }) => kind === 'attack')).toEqual([]);
    await expect(
      calibratePast(pastFromFile(written('few.jsonl', asJson(sighting()))), { choice: CHOICE }),
    ).rejects.toMatchObject({ code: 'data/mismatch' });
  });

  test('can be stopped', async () => {
    const path = written('stop.jsonl', calmCalls(10, 100, 12).map(asJson).join('\n'));
    await expect(
      analysePast(pastFromFile(path), { choice: CHOICE, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/run\/cancelled|data\/unreadable/) });
  });
});
