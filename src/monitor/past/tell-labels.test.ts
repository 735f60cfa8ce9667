import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { START, traffic } from '../drift/calm.fixture.ts';
import { sighting } from '../sighting.fixture.ts';
import type { Sighting } from '../sighting.ts';
import { analysePast } from './analyse-past.ts';
import { calibratePast } from './calibrate-past.ts';
import { openLabelTable, type WrittenLabel } from './label-table.ts';
import { readLabels } from './labels-from-files.ts';
import { blocksOf, pastFromFile, pastFromSightings } from './open-past.ts';
import { openPastLabels } from './tell-labels.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-told-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const labelsFrom = (labels: readonly WrittenLabel[]) => {
  const table = openLabelTable();
  for (const each of labels) table.add(each);
  return openPastLabels(table);
};
const about = (decision: string, label: number, at?: number): WrittenLabel => ({
  ...{ decision, sample: 0, label, at },
});

/** Decisions and labels in the order in which monitors get them. */
const orderOf = async (
  decisions: readonly (readonly [id: string, at: number])[],
  labels: readonly WrittenLabel[],
  each?: number,
) => {
  const told = labelsFrom(labels);
  const past = told.tellIn(
    pastFromSightings(
      decisions.map(([id, at]) => sighting({ id, at })),
      each,
    ),
  );
  const order: string[] = [];
  for await (const { sightings, labels: groups = [] } of blocksOf(past)) {
    let next = 0;
    for (let i = 0; i <= sightings.length; i++) {
      for (; next < groups.length && groups[next]!.after === i; next++)
        for (const { decision, label, at } of groups[next]!.labels) order.push(`${decision}=${label}@${at}`);
      if (i < sightings.length) order.push(sightings[i]!.id);
    }
    expect(next).toBe(groups.length);
  }
  return { order: order.join(' '), counts: told.counts() };
};

const FIVE = [
  ['a', 10],
  ['b', 20],
  ['c', 30],
  ['d', 30],
  ['e', 40],
] as const;

describe('labels among past decisions', () => {
  test.each([1, 2, 100])('come when their time does, in batches of %i', async (each) => {
    const labels = [
      about('b', 2),
      about('a', 1, 30),
      about('c', 3, 20),
      about('a', 7, 25),
      about('e', 5, 90),
      about('d', 4, 80),
    ];
    const { order, counts } = await orderOf(FIVE, labels, each);
    expect(order).toBe('a b b=2@20 a=7@25 c c=3@20 d a=1@30 e d=4@80 e=5@90');
    expect(counts).toEqual({ labels: 6, unknown: 0, twice: 1, contradicting: 1 });
  });

  test('of no decision come last and are counted; a decision that comes twice is told of once', async () => {
    const labels = [about('x', 1, 15), about('a', 1), about('y', 1), about('a', 1), about('b', 2, 15)];
    const { order, counts } = await orderOf(
      [
        ['a', 10],
        ['a', 20],
        ['b', 5],
      ],
      labels,
    );
    expect(order).toBe('a a=1@10 a=1@10 a b b=2@15 x=1@15 y=1@5');
    expect(counts).toEqual({ labels: 5, unknown: 2, twice: 1, contradicting: 0 });
  });

  test('are found for decisions in any order of time, and for ids of any text', async () => {
    const { order } = await orderOf(
      [
        ['ü', 50],
        ['__proto__', 10],
      ],
      [about('__proto__', 1, 12), about('ü', 2, 55)],
    );
    expect(order).toBe('ü __proto__ __proto__=1@12 ü=2@55');
  });
});

describe('a table of labels', () => {
  test.each([
    [{ labels: 3, characters: 100 }, 'expected at most 3 labels, got more'],
    [{ labels: 100, characters: 3 }, 'expected at most 3 characters of ids, got more'],
  ])('holds what it may, and no more: %j', (most, message) => {
    const table = openLabelTable(most);
    for (const id of ['a', 'b', 'c']) table.add(about(id, 1));
    expect(() => table.add(about('d', 1))).toThrow(message);
    expect(table.size).toBe(3);
  });

  test('holds many labels of one decision as fast as of many', () => {
    const table = openLabelTable({ labels: 300_000, characters: 10_000_000 });
    for (let i = 0; i < 300_000; i++)
      table.add({ decision: i < 150_000 ? 'one' : `${i}`, sample: i & 0x1ffff, label: i >> 17 });
    expect(table).toMatchObject({ size: 300_000, twice: 18_928, contradicting: 18_928 });
  });
});

const HOUR = 3_600_000;
const CHOICE = { kinds: { calibration: { seconds: 60 } }, only: {}, calibration: {} };

/** Decisions, and a table of what really was, told an hour after each: as often right as scores say, from `changed` on less often by a fifth, at the same inputs and scores. */
const labelledPast = (name: string, calls: number, changed: number) => {
  const rng = randomFrom(3, name);
  const decisions = traffic({ calls, top: (own) => [own.integer(3), 0.6 + 0.4 * own.uniform()] });
  const truth = ({ id, at, top }: Sighting, i: number): string => {
    const [label, score] = top![0]!;
    const isRight = rng.uniform() < score - (i >= changed ? 0.2 : 0);
    return `${new Date(at + HOUR).toISOString()},${id},${isRight ? label : (label + 1) % 3}`;
  };
  const paths = [join(folder, `${name}.jsonl`), join(folder, `${name}.csv`)] as const;
  const asLine = ({ sketch: _, ...decision }: Sighting) => JSON.stringify(decision);
  writeFileSync(paths[0], decisions.map(asLine).join('\n'));
  writeFileSync(paths[1], ['time,decision,label', ...decisions.map(truth)].join('\n'));
  return paths;
};
const spoke = (alarms: Awaited<ReturnType<typeof analysePast>>['alarms']) =>
  new Set(alarms.map(({ monitor }) => monitor));

describe('a past with labels', () => {
  test('accuracy and calibration speak where the truth changes, and only with labels', async () => {
    const [path, truths] = labelledPast('changed', 12_000, 7000);
    const labels = await readLabels([truths]);
    const found = await analysePast(pastFromFile(path), { choice: CHOICE, labels, threads: 0 });
    expect([...spoke(found.alarms)]).toEqual(expect.arrayContaining(['accuracy', 'calibration']));
    // The first wrong labels come an hour after the first wrong answers.
    const since = START + 7_000_000 + HOUR;
    for (const { monitor, at } of found.alarms)
      if (monitor === 'accuracy' || monitor === 'calibration') expect(at).toBeGreaterThan(since);
    expect(found.labels).toEqual({ labels: 12_000, unknown: 0, twice: 0, contradicting: 0 });
    const shared = await analysePast(pastFromFile(path), { choice: CHOICE, labels, threads: 2 });
    expect(shared).toEqual(found);
    const blind = await analysePast(pastFromFile(path), { choice: CHOICE, threads: 0 });
    expect(blind.alarms.filter(({ monitor }) => monitor === 'accuracy' || monitor === 'calibration')).toEqual(
      [],
    );
    expect(blind.labels).toBeUndefined();
    for (const monitor of ['accuracy', 'calibration', 'estimated-performance'])
      expect(blind.states.find((state) => state.monitor === monitor)!.phase).toBe('blind');
  });

  test('nothing is said where the truth is as ever, and late labels are shown as in service', async () => {
    const [path, truths] = labelledPast('calm', 12_000, Number.POSITIVE_INFINITY);
    const labels = await readLabels([truths]);
    const { alarms, states } = await analysePast(pastFromFile(path), { choice: CHOICE, labels, threads: 0 });
    expect(alarms).toEqual([]);
    const stateOf = (name: string) => states.find(({ monitor }) => monitor === name)!;
    for (const monitor of ['accuracy', 'calibration']) expect(stateOf(monitor).phase).toBe('watching');
    expect(stateOf('accuracy').because).toMatch(
      /^12000 of 12000 answers have a label \(100 %, half of them within 60 minutes/,
    );
  });

  test('monitors that need labels are measured with them, and begin with that', async () => {
    const [path, truths] = labelledPast('measured', 12_000, Number.POSITIVE_INFINITY);
    const labels = await readLabels([truths]);
    const without = await calibratePast(pastFromFile(path), { choice: CHOICE });
    const measured = await calibratePast(pastFromFile(path), { choice: CHOICE, labels });
    for (const monitor of ['accuracy', 'calibration', 'estimated-performance']) {
      expect(Object.keys(without.models.digits!)).not.toContain(monitor);
      expect(Object.keys(measured.models.digits!)).toContain(monitor);
    }
    const [later, more] = labelledPast('later', 3000, 0);
    const choice = { ...CHOICE, calibration: JSON.parse(JSON.stringify(measured.models)) };
    const found = await analysePast(pastFromFile(later), {
      choice,
      labels: await readLabels([more]),
      threads: 0,
    });
    expect([...spoke(found.alarms)]).toEqual(expect.arrayContaining(['accuracy', 'calibration']));
  });
});
