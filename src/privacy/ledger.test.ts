import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { epsilonFor } from './accountant.ts';
import { ledgerPath, recordSpent, reserve, runsOn } from './ledger.ts';
import { lineOf, parseLedger } from './ledger-record.ts';

const DATA = `sha256:${'ab'.repeat(32)}`;
const OTHER = `sha256:${'cd'.repeat(32)}`;
const RUN = { rate: 0.01, noise: 1.1, steps: 1000 };
const now = () => new Date('2026-01-02T03:04:05.678Z');
let counter = 0;
/** A new id. */
const id = () => Buffer.alloc(16, ++counter);
const at = { now };

let home: string;
let path: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'glacis-ledger-'));
  path = join(home, 'below', 'ledger.jsonl');
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** The code and message of what a promise is refused with. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  return thrown instanceof GlacisError ? `${thrown.code}: ${thrown.message}` : `not refused: ${thrown}`;
}

describe('the ledger', () => {
  it('adds up what is reserved, then what was spent, for each data set', async () => {
    const first = await reserve(path, DATA, RUN, { ...at, id: id() });
    await reserve(path, DATA, { ...RUN, noise: 2 }, { ...at, id: id() });
    await reserve(path, OTHER, RUN, { ...at, id: id() });
    expect((await runsOn(path, DATA)).map(({ run, ended }) => [run.steps, ended])).toEqual([
      [1000, false],
      [1000, false],
    ]);
    await recordSpent(path, first, 400, at);
    expect(await runsOn(path, DATA)).toMatchObject([
      { id: first, ended: true, at: '2026-01-02T03:04:05.678Z', run: { ...RUN, steps: 400 } },
      { run: { noise: 2, steps: 1000 } },
    ]);
    expect(await runsOn(path, OTHER)).toHaveLength(1);
  });

  it('has nothing for a run that ended before its first step, and for data that was never used', async () => {
    await recordSpent(path, await reserve(path, DATA, RUN, { ...at, id: id() }), 0, at);
    expect(await runsOn(path, DATA)).toEqual([]);
    expect(await runsOn(path, OTHER)).toEqual([]);
    expect(await runsOn(join(home, 'none'), DATA)).toEqual([]);
  });

  it('is readable and writable by its owner alone', async () => {
    await reserve(path, DATA, RUN, { ...at, id: id() });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(home, 'below'))).mode & 0o777).toBe(0o700);
  });

  it('refuses a run that would exceed the limit together with the others, and reserves nothing', async () => {
    const limit = { delta: 1e-5, accountant: 'rdp' } as const;
    const one = epsilonFor([RUN], 1e-5, { accountant: 'rdp' }).epsilon;
    await reserve(path, DATA, RUN, { ...at, id: id(), limit: { ...limit, epsilon: one } });
    const before = await readFile(path, 'utf8');
    const again = reserve(path, DATA, RUN, { ...at, id: id(), limit: { ...limit, epsilon: one * 1.1 } });
    expect(await refusal(again)).toMatch(/^privacy\/budget: .*at most epsilon .* 1 runs came before/);
    expect(await readFile(path, 'utf8')).toBe(before);
    await reserve(path, OTHER, RUN, { ...at, id: id(), limit: { ...limit, epsilon: one } });
  });

  it('loses no reservation of many at the same moment', async () => {
    await Promise.all(Array.from({ length: 12 }, () => reserve(path, DATA, RUN, { ...at, id: id() })));
    expect(await runsOn(path, DATA)).toHaveLength(12);
  });

  it('waits for the lock of another process only so long, and writes nothing without it', async () => {
    await reserve(path, DATA, RUN, { ...at, id: id() });
    await writeFile(`${path}.lock`, '');
    const blocked = reserve(path, DATA, RUN, { ...at, id: id(), patience: 60 });
    expect(await refusal(blocked)).toMatch(/^privacy\/ledger: .*if no other Glacis runs, remove it/);
    const cancelled = reserve(path, DATA, RUN, { ...at, id: id(), signal: AbortSignal.abort() });
    expect(await refusal(cancelled)).toMatch(/^run\/cancelled/);
    await rm(`${path}.lock`);
    expect(await runsOn(path, DATA)).toHaveLength(1);
  });

  it('refuses wrong ids, steps and digests', async () => {
    const taken = id();
    const name = await reserve(path, DATA, RUN, { ...at, id: taken });
    expect(await refusal(reserve(path, DATA, RUN, { ...at, id: taken }))).toMatch(/^option\/invalid: id/);
    expect(await refusal(reserve(path, DATA, RUN, { ...at, id: new Uint8Array(3) }))).toMatch(/16 bytes/);
    expect(await refusal(recordSpent(path, 'f'.repeat(32), 1, at))).toMatch(/^option\/invalid: id/);
    expect(await refusal(recordSpent(path, name, 1001, at))).toMatch(/at most the 1000 that were reserved/);
    await recordSpent(path, name, 1000, at);
    const once = await readFile(path, 'utf8');
    await recordSpent(path, name, 1000, at);
    expect(await readFile(path, 'utf8')).toBe(once);
    expect(await refusal(recordSpent(path, name, 1, at))).toMatch(/^option\/invalid: id/);
    expect(await refusal(runsOn(path, 'sha256:12'))).toMatch(/^option\/invalid: data set/);
    expect(await refusal(reserve(path, DATA, { ...RUN, rate: 2 }, { ...at, id: id() }))).toMatch(
      /^option\/invalid/,
    );
  });

  it('refuses a link, a folder, and a file that others may write', async () => {
    await reserve(path, DATA, RUN, { ...at, id: id() });
    await symlink(path, join(home, 'link'));
    expect(await refusal(runsOn(join(home, 'link'), DATA))).toMatch(/^privacy\/ledger/);
    await mkdir(join(home, 'folder'));
    expect(await refusal(runsOn(join(home, 'folder'), DATA))).toMatch(/^privacy\/ledger: .*a plain file/);
    await chmod(path, 0o622);
    expect(await refusal(runsOn(path, DATA))).toMatch(/^privacy\/ledger: .*only its owner may write/);
    expect(await refusal(reserve(path, DATA, RUN, { ...at, id: id() }))).toMatch(/^privacy\/ledger/);
  });

  it('reserves nothing on a ledger with a damaged line', async () => {
    await reserve(path, DATA, RUN, { ...at, id: id() });
    const good = await readFile(path, 'utf8');
    for (const bad of [good.slice(0, -1), good.replace('1000', '1e3'), good + good, `${good}\n`, 'x\n']) {
      await writeFile(path, bad);
      expect(await refusal(reserve(path, DATA, RUN, { ...at, id: id() })), bad).toMatch(
        /^privacy\/ledger: .*line \d+: expected/,
      );
      expect(await readFile(path, 'utf8')).toBe(bad);
    }
  });
});

describe('parseLedger', () => {
  const reserved = {
    kind: 'reserved',
    id: 'a'.repeat(32),
    dataSet: DATA,
    ...RUN,
    at: now().toISOString(),
  } as const;

  it.each([
    ['a rate above 1', { rate: 2 }],
    ['no steps', { steps: 0 }],
    ['negative noise', { noise: -1 }],
    ['a short digest', { dataSet: 'sha256:ab' }],
    ['a strange id', { id: '../x' }],
    ['a strange time', { at: 'now' }],
  ])('refuses %s', (_, change) => {
    expect(() => parseLedger(lineOf({ ...reserved, ...change }), 'ledger')).toThrow(
      /^ledger, line 1: expected/,
    );
  });

  it('refuses an end without a beginning, and more steps than reserved', () => {
    const spent = { kind: 'spent', id: reserved.id, steps: 1, at: reserved.at } as const;
    expect(() => parseLedger(lineOf(spent), 'ledger')).toThrow(/line 1/);
    expect(() => parseLedger(lineOf(reserved) + lineOf({ ...spent, steps: 1001 }), 'ledger')).toThrow(
      /line 2/,
    );
    expect(() => parseLedger(lineOf(reserved) + lineOf(spent) + lineOf(spent), 'ledger')).toThrow(/line 3/);
    expect(parseLedger(lineOf(reserved) + lineOf(spent), 'ledger')).toHaveLength(2);
  });

  it('reads what it wrote or refuses, whatever the text', () => {
    const pieces = fc.constantFrom(
      lineOf(reserved),
      '{',
      '"kind":"spent"',
      '\n',
      '\0',
      '__proto__',
      '1e999',
      ',',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((p) => p.join('')),
        ),
        (text) => {
          try {
            expect(parseLedger(text, 'ledger').map(lineOf).join('')).toBe(text);
          } catch (thrown) {
            expect((thrown as GlacisError).code).toBe('privacy/ledger');
          }
        },
      ),
    );
  });
});

describe('ledgerPath', () => {
  it('heeds the environment', () => {
    expect(ledgerPath({}, '/home/me')).toBe('/home/me/.local/share/glacis/privacy-ledger.jsonl');
    expect(ledgerPath({ XDG_DATA_HOME: '/data' }, '/home/me')).toBe('/data/glacis/privacy-ledger.jsonl');
    expect(ledgerPath({ GLACIS_PRIVACY_LEDGER: '/x.jsonl', XDG_DATA_HOME: '/data' }, '/h')).toBe('/x.jsonl');
  });
});
