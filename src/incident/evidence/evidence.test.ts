import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordSchema } from '../../gateway/record/config-schema.ts';
import { parseTrustFile } from '../../gateway/record/log-folder.ts';
import { type OpenRecorder, openRecorder } from '../../gateway/record/open-recorder.ts';
import { type LogTrust, openLog } from '../../ledger/index.ts';
import { openStore, type Store } from '../../store/index.ts';
import type { ImpactSummary } from '../impact/impact.ts';
import { alarmOf, countingIds, memoryContainment, readIncidents, START } from '../incident.fixture.ts';
import { openIncidents } from '../open-incidents.ts';
import type { PastDecision } from '../past.ts';
import { MANIFEST, SEAL, SIGNATURE, SIGNER } from './bundle-files.ts';
import type { EvidenceParts } from './pack-evidence.ts';
import { readStoredZip, writeStoredZip } from './stored-zip.ts';
import { verifyEvidence } from './verify-evidence.ts';
import { type Evidence, type EvidenceSetting, writeEvidence } from './write-evidence.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let folder: string;
let store: Store;
let recorder: OpenRecorder;
let trust: LogTrust;
let parts: EvidenceParts;
let setting: EvidenceSetting;
let evidence: Evidence;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-evidence-'));
  store = await openStore({ kind: 'sqlite', file: join(folder, 'store.db') });
  recorder = await openRecorder(recordSchema.parse({ publishEvery: '20 ms' }), {
    folder: join(folder, 'record'),
  });
  const trustFile = readFileSync(join(folder, 'record', 'log.trust.json'), 'utf8');
  trust = parseTrustFile(Buffer.from(trustFile), 'trust');
  const now = () => START;
  const incidents = openIncidents(readIncidents({}), {
    ...{ store, now, containment: memoryContainment(now), freshId: countingIds() },
    record: (event) => recorder.record(event),
    notify: () => {},
    failed: (_where, thrown) => {
      throw thrown;
    },
  });
  const past: PastDecision[] = [];
  for (let i = 0; i < 5; i++) {
    const decision = {
      kind: 'decision',
      outcome: 'answered',
      ...{ id: String(i).repeat(32), at: START - 100 + i, bucket: 1, guards: [] },
      ...{ principal: 'mallory', tenant: 't', credential: 'k', address: '::1', model: 'signs' },
      ...{ version: '1', digest: 'sha256:aa', n: 1, top: [[i, 0.5] as const] },
    } as const;
    past.push({ ...decision, entry: await recorder.record(decision) });
  }
  const id = await incidents.raise(alarmOf({ severity: 'high', decisions: past.map((each) => each.id) }));
  await incidents.comment(id!, 'looks like copying <script>', 'ann');
  const view = (await incidents.find(id!))!;
  const impact: ImpactSummary = {
    state: 'done',
    ...{ id: 'e'.repeat(32), scope: { model: 'signs' }, log: 'x', by: 'ann', at: START },
    progress: [5, 5],
    ...{ looked: 5, affected: 2, replayed: 2, different: 1, unkept: 0, others: 0 },
    ...{ principals: [], digests: [] },
  };
  parts = {
    ...{ view, trustFile, models: [{ model: 'signs', digest: 'sha256:aa' }] },
    decisions: past.slice(0, 3),
    impacts: [{ impact, rows: past.slice(2).map((each) => ({ ...each, different: each.entry === 3 })) }],
  };
  setting = {
    log: { reader: () => openLog(recorder.source, trust), receipt: (index) => recorder.receipt(index) },
    record: (event) => recorder.record(event),
    ...{ key: privateKey, now, freshId: countingIds('9') },
  };
  evidence = await writeEvidence(parts, 'ann', setting);
});
afterAll(async () => {
  await recorder.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const bad = (zip: Uint8Array, keys = [publicKey]) => {
  const { ok, checks } = verifyEvidence(zip, trust, keys);
  expect(ok).toBe(false);
  return [...new Set(checks.filter((each) => !each.ok).map(({ file }) => file))];
};
const files = () => [...readStoredZip(evidence.zip).files].map(([path, bytes]) => ({ path, bytes }));

describe('an evidence bundle', () => {
  it('verifies with the log’s keys alone, and says what it proves', () => {
    const verdict = verifyEvidence(evidence.zip, trust);
    expect(verdict.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(verdict).toMatchObject({
      ok: true,
      case: 'C-2026-0001',
      digest: evidence.digest,
      log: { origin: trust.origin },
      proven: { events: parts.view.events.length, decisions: 5 },
    });
    expect(verifyEvidence(evidence.zip, trust, [publicKey]).ok).toBe(true);
  });

  it('names no other key than the one that is trusted, and no other log', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    expect(bad(evidence.zip, [other])).toEqual([SIGNATURE, MANIFEST]);
    const stranger = { ...trust, origin: 'example.com/other' };
    const { ok, checks } = verifyEvidence(evidence.zip, stranger);
    expect([ok, checks.some(({ file, ok: good }) => file === SEAL && !good)]).toEqual([false, true]);
  });

  it('is found to be changed whichever byte of it is', () => {
    const { zip } = evidence;
    // Every byte of headers and of the directory, and every 7th of the contents.
    const heads = new Set<number>();
    for (let at = 0; at + 4 <= zip.length; at++)
      if (zip[at] === 0x50 && zip[at + 1] === 0x4b)
        for (let i = 0; i < 48; i++) heads.add(Math.min(zip.length - 1, at + i));
    for (let at = 0; at < zip.length; at += 97) heads.add(at);
    for (const at of heads) {
      const changed = Buffer.from(zip);
      changed[at]! ^= 1 << (at % 8);
      const { problems } = readStoredZip(changed);
      expect(problems.length, `byte ${at}`).toBeGreaterThan(0);
    }
    const changed = Buffer.from(zip);
    changed[zip.length >> 1]! ^= 1;
    expect(bad(changed).length).toBeGreaterThan(0);
  });

  it('names each file that was changed, even where the archive was written anew around it', () => {
    for (const { path } of files()) {
      const rewritten = writeStoredZip(
        files().map((each) =>
          each.path === path ? { path, bytes: Buffer.concat([each.bytes, Buffer.from(' ')]) } : each,
        ),
      );
      expect(bad(rewritten), path).toContain(path === SIGNER ? SIGNATURE : path);
    }
  });

  it('names a file that was dropped or added', () => {
    for (const { path } of files())
      expect(bad(writeStoredZip(files().filter((each) => each.path !== path))), path).toContain(
        path === SIGNER ? SIGNATURE : path,
      );
    const more = writeStoredZip([...files(), { path: 'more.txt', bytes: Buffer.from('x') }]);
    expect(bad(more)).toEqual(['more.txt']);
    expect(bad(Buffer.concat([evidence.zip, Buffer.from('x')]))).toEqual(['archive']);
    expect(bad(Buffer.alloc(0)).length).toBeGreaterThan(0);
  });

  it('cannot be made again around a changed case, not even by who has the signing key', async () => {
    const other = {
      ...parts,
      view: { ...parts.view, alarms: parts.view.alarms.map((alarm) => ({ ...alarm, principals: ['bob'] })) },
    };
    const forged = await writeEvidence(other, 'ann', setting);
    expect(bad(forged.zip)).toEqual(['alarms.json']);
    const events = parts.view.events.map((event) =>
      event.what.kind === 'comment' ? { ...event, what: { ...event.what, text: 'nothing' } } : event,
    );
    // The entry does not fit the event any more: it is said to be missing, and not to be proven.
    const rewritten = await writeEvidence({ ...parts, view: { ...parts.view, events } }, 'ann', setting);
    const verdict = verifyEvidence(rewritten.zip, trust);
    expect(verdict.proven.events).toBe(parts.view.events.length - 1);
    const rows = [{ ...parts.decisions[0]!, outcome: 'refused' }];
    expect(bad((await writeEvidence({ ...parts, decisions: rows }, 'ann', setting)).zip)).toEqual([
      'decisions.json',
    ]);
    // The seal of one bundle is none for another.
    const swapped = files().map((each) =>
      each.path === SEAL ? { path: SEAL, bytes: readStoredZip(forged.zip).files.get(SEAL)! } : each,
    );
    expect(bad(writeStoredZip(swapped))).toContain(SEAL);
  });

  it('has the same bytes for the same parts, the signature and the log’s word aside', async () => {
    const again = await writeEvidence(parts, 'ann', { ...setting, freshId: countingIds('8') });
    const of = ({ zip }: Evidence) =>
      [...readStoredZip(zip).files].filter(
        ([path]) => !path.startsWith('ledger/') && ![SEAL, SIGNATURE, MANIFEST].includes(path),
      );
    expect(of(again)).toEqual(of(evidence));
    expect(
      Buffer.from(again.zip).equals(
        writeStoredZip([...readStoredZip(again.zip).files].map(([path, bytes]) => ({ path, bytes }))),
      ),
    ).toBe(true);
  });

  it('is read as what anybody may have written: it never throws and never passes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => !verifyEvidence(bytes, trust).ok),
      { numRuns: 200 },
    );
    const paths = files().map(({ path }) => path);
    fc.assert(
      fc.property(
        fc.constantFrom(...paths),
        fc.oneof(
          fc.json().map((text) => Buffer.from(text)),
          fc.uint8Array({ maxLength: 200 }),
        ),
        (path, bytes) => {
          const zip = writeStoredZip(files().map((each) => (each.path === path ? { path, bytes } : each)));
          return !verifyEvidence(zip, trust).ok;
        },
      ),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.nat(evidence.zip.length - 1), fc.nat(evidence.zip.length - 1), (a, b) => {
        const cut = Buffer.concat([
          evidence.zip.subarray(0, Math.min(a, b)),
          evidence.zip.subarray(Math.max(a, b) + 1),
        ]);
        return !verifyEvidence(cut, trust).ok;
      }),
      { numRuns: 100 },
    );
  });

  it('is not undone by JSON that is nested without end', () => {
    const deep = `${'{"a":'.repeat(60_000)}1${'}'.repeat(60_000)}`;
    const within = (path: string, text: string) =>
      writeStoredZip(files().map((each) => (each.path === path ? { path, bytes: Buffer.from(text) } : each)));
    expect(bad(within('alarms.json', `[{"id":"x","y":${deep}}]`))).toContain('alarms.json');
    expect(bad(within('events.json', `[{"id":"x","what":{"kind":"alarm","alarm":${deep}}}]`))).toContain(
      'events.json',
    );
    expect(bad(within('decisions.json', `[${deep}]`))).toContain('decisions.json');
  });

  it('takes no path that leads out of it, and none twice', () => {
    for (const path of ['../x', '/x', 'a//b', 'a\\b', '.hidden', 'a/../b', 'a\0', ''])
      expect(() => writeStoredZip([{ path, bytes: Buffer.alloc(0) }])).toThrow(/plain paths/);
    const twice = [
      { path: 'a', bytes: Buffer.alloc(0) },
      { path: 'a', bytes: Buffer.alloc(1) },
    ];
    expect(() => writeStoredZip(twice)).toThrow(/no file twice/);
  });
});
