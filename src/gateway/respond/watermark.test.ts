import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Mark, Scores, Shaping } from '../output-guard.ts';
import { cellsOf } from './input-cell.ts';
import { keyedHash } from './keyed-hash.ts';
import { classesOf, settingFixture, shapingFixture } from './scores.fixture.ts';
import { genuine, type MarkedSample, theftEvidence } from './theft.ts';
import { markingOf, watermark } from './watermark.ts';

const CLASSES = 10;
const SIZE = 64;
const DIMS = [8, 8];
const rng = randomFrom(11, 'watermark test');

/** Pictures of a few blobs, all different. */
function pictures(n: number, label = 'pictures'): Float32Array {
  const draw = rng.fork(label);
  const out = new Float32Array(n * SIZE);
  for (let row = 0; row < n; row++)
    for (let blob = 0; blob < 3; blob++) {
      const [cy, cx, height] = [8 * draw.uniform(), 8 * draw.uniform(), draw.uniform()];
      for (let i = 0; i < SIZE; i++)
        out[row * SIZE + i]! += height * Math.exp(-((Math.floor(i / 8) - cy) ** 2 + ((i % 8) - cx) ** 2) / 4);
    }
  return out;
}

const secret = (key: number) => new Uint8Array(32).fill(key);
/** The class of a picture: where it is brightest, in tenths. */
const classOf = (inputs: Float32Array, row: number) => {
  const sample = inputs.subarray(row * SIZE, (row + 1) * SIZE);
  return Math.floor((sample.indexOf(Math.max(...sample)) / SIZE) * CLASSES);
};
const scoresFor = (inputs: Float32Array, n: number): Scores => {
  const values = new Float32Array(n * CLASSES).fill(0.01);
  for (let row = 0; row < n; row++) values[row * CLASSES + classOf(inputs, row)] = 0.91;
  return { values, n, classes: CLASSES, gives: 'probabilities' };
};

/** The answers of a gateway that marks, and what it wrote down. */
function serve(inputs: Float32Array, n: number, key: number, rate = 0.05) {
  const marks: Mark[] = [];
  const setting = settingFixture(CLASSES, { secret: secret(key), marked: (mark) => marks.push(mark) });
  const guard = watermark.make(
    { rate },
    { ...setting, classifier: { ...setting.classifier, sampleDims: DIMS } },
  );
  const shaping: Shaping = { ...shapingFixture(n), inputs: () => inputs };
  const told = guard.shape(scoresFor(inputs, n), shaping);
  return { answers: classesOf(told), told, marks, guard, shaping };
}

describe('keyed hash', () => {
  it('is HMAC-SHA256 under a derived key', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.string(),
        fc.uint8Array(),
        (secret, purpose, message) => {
          const key = createHmac('sha256', secret).update(purpose).digest();
          const expected = createHmac('sha256', key).update(message).digest();
          expect(keyedHash(secret, purpose)(message)).toEqual(expected);
        },
      ),
    );
  });
});

describe('cells', () => {
  it('do not depend on batch, brightness or contrast, and depend on the key', () => {
    const inputs = pictures(40);
    const cellOf = cellsOf(DIMS, secret(1));
    const other = cellsOf(DIMS, secret(2));
    let differ = 0;
    for (let row = 0; row < 40; row++) {
      const alone = inputs.slice(row * SIZE, (row + 1) * SIZE);
      const cell = cellOf(inputs, row);
      expect(cellOf(alone, 0)).toEqual(cell);
      expect(
        cellOf(
          alone.map((value) => value * 0.5 + 0.25),
          0,
        ),
      ).toEqual(cell);
      if (Buffer.compare(other(alone, 0), cell) !== 0) differ++;
    }
    expect(differ).toBeGreaterThan(30);
  });

  it('of near-identical pictures are mostly the same, of different ones not', () => {
    const n = 300;
    const inputs = pictures(n);
    const noise = rng.fork('noise');
    const noisy = inputs.map((value) => value + 0.005 * noise.normal());
    const cellOf = cellsOf(DIMS, secret(1));
    const id = (x: Float32Array, row: number) => Buffer.from(cellOf(x, row)).toString('hex');
    const same = Array.from({ length: n }, (_, row) => id(inputs, row) === id(noisy, row)).filter(
      Boolean,
    ).length;
    expect(same / n).toBeGreaterThan(0.8);
    expect(new Set(Array.from({ length: n }, (_, row) => id(inputs, row))).size).toBeGreaterThan(n / 2);
  });

  it('of samples that are no pictures follow two significant digits', () => {
    const cellOf = cellsOf([3], secret(1));
    const cell = (...values: readonly number[]) => cellOf(Float32Array.from(values), 0);
    expect(cell(1.234, -500.1, 0)).toEqual(cell(1.2301, -502, 0));
    expect(cell(1.234, -500.1, 0)).not.toEqual(cell(1.3, -500.1, 0));
  });

  it('exist for channels first and last alike', () => {
    const gray = pictures(1);
    const first = Float32Array.from({ length: 3 * SIZE }, (_, i) => gray[i % SIZE]!);
    const last = Float32Array.from({ length: 3 * SIZE }, (_, i) => gray[Math.floor(i / 3)]!);
    expect(cellsOf([3, 8, 8], secret(1))(first, 0)).toEqual(cellsOf([8, 8, 3], secret(1))(last, 0));
  });
});

describe('watermark', () => {
  const n = 4000;
  const inputs = pictures(n);

  it('changes about the share of answers that it was told, and by two scores changing places', () => {
    const { answers, told, marks } = serve(inputs, n, 1);
    const before = scoresFor(inputs, n);
    const changed = answers.filter((answer, row) => answer !== classOf(inputs, row)).length;
    expect(changed).toBe(marks.length);
    expect(changed / n).toBeGreaterThan(0.02);
    expect(changed / n).toBeLessThan(0.09);
    for (let row = 0; row < n; row++)
      expect([...told.values.subarray(row * CLASSES, (row + 1) * CLASSES)].sort()).toEqual(
        [...before.values.subarray(row * CLASSES, (row + 1) * CLASSES)].sort(),
      );
  });

  it('gives the same wrong class to whoever asks, alone or in a batch, each time', () => {
    const { answers, guard, shaping } = serve(inputs, n, 1);
    const ben = { ...shaping.principal, id: 'ben' };
    for (let row = 0; row < n; row += 37) {
      const alone = inputs.slice(row * SIZE, (row + 1) * SIZE);
      const told = guard.shape(scoresFor(alone, 1), { ...shaping, principal: ben, inputs: () => alone });
      expect(classesOf(told)).toEqual([answers[row]]);
    }
  });

  it('draws wrong classes evenly', () => {
    const { classFor } = markingOf(secret(1), { sampleDims: [4], classes: 5 }, 0.05);
    const counts = new Map<number, number>();
    for (let i = 0; i < 60_000; i++) {
      const to = classFor(Buffer.from(`${i}`), 2);
      if (to !== undefined) counts.set(to, (counts.get(to) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([0, 1, 3, 4]);
    const total = [...counts.values()].reduce((a, b) => a + b, 0);
    expect(total / 60_000).toBeCloseTo(0.05, 2);
    // 3,000 draws: four standard deviations are about 95.
    for (const count of counts.values()) expect(Math.abs(count - total / 4)).toBeLessThan(100);
  });

  it('refuses a model of two classes', () => {
    expect(() => watermark.make({ rate: 0.01 }, settingFixture(2))).toThrow('at least 3 classes');
  });
});

describe('evidence of theft', () => {
  const n = 4000;
  const inputs = pictures(n);
  const evidence = (key: number, predict: (sample: Float32Array) => number) => {
    const { marks } = serve(inputs, n, key);
    const marking = markingOf(secret(key), { sampleDims: DIMS, classes: CLASSES }, 0.05);
    const { kept, rejected } = genuine(marks, marking);
    expect(rejected).toBe(0);
    return theftEvidence(
      kept,
      kept.map(({ input }) => predict(input)),
      CLASSES,
    );
  };

  it('is overwhelming for a copy that learned the answers', () => {
    const { answers } = serve(inputs, n, 1);
    // A copy by nearest neighbour: what it was told about the sample that is nearest.
    const nearest = (sample: Float32Array) => {
      let [best, least] = [0, Number.POSITIVE_INFINITY];
      for (let row = 0; row < n; row++) {
        let distance = 0;
        for (let i = 0; i < SIZE && distance < least; i++)
          distance += (sample[i]! - inputs[row * SIZE + i]!) ** 2;
        if (distance < least) [best, least] = [row, distance];
      }
      return answers[best]!;
    };
    const { asked, matched, p } = evidence(1, nearest);
    expect(matched).toBe(asked);
    expect(p).toBeLessThan(1e-30);
  });

  it('is none for the model itself, which disagrees with itself nowhere', () => {
    expect(evidence(1, (sample) => classOf(sample, 0))).toMatchObject({ disagreed: 0, matched: 0, p: 1 });
  });

  it('falsely accuses innocent models, good and bad ones, no more often than it says', () => {
    const innocent = rng.fork('innocent');
    let accused = 0;
    const trials = 300;
    for (let trial = 0; trial < trials; trial++) {
      // Right, wrong by one, or at random: the errors of a real model are not even, and must not have to be.
      const errs = innocent.uniform();
      const predict = (sample: Float32Array) => {
        const right = classOf(sample, 0);
        if (innocent.uniform() > errs) return right;
        return trial % 2 === 0 ? (right + 1) % CLASSES : innocent.integer(CLASSES);
      };
      const few = pictures(400, `few ${trial}`);
      const marking = markingOf(secret(trial + 5), { sampleDims: DIMS, classes: CLASSES }, 0.05);
      const marks: MarkedSample[] = [];
      for (let row = 0; row < 400; row++) {
        const input = few.subarray(row * SIZE, (row + 1) * SIZE);
        const from = classOf(input, 0);
        const to = marking.classFor(marking.cellOf(input, 0), from);
        if (to !== undefined) marks.push({ from, to, input });
      }
      const { kept } = genuine(marks, marking);
      if (
        theftEvidence(
          kept,
          kept.map(({ input }) => predict(input)),
          CLASSES,
        ).p <= 0.05
      )
        accused++;
    }
    // At most 5 % in truth; 27 of 300 would be four standard deviations above.
    expect(accused).toBeLessThan(27);
  });

  it('does not count what the key does not mark, nor a cell twice', () => {
    const { marks } = serve(inputs, n, 1);
    const marking = markingOf(secret(1), { sampleDims: DIMS, classes: CLASSES }, 0.05);
    const [first] = marks;
    const invented = {
      ...first!,
      to: (first!.to + 1) % CLASSES === first!.from ? (first!.to + 2) % CLASSES : (first!.to + 1) % CLASSES,
    };
    const once = genuine(marks, marking).kept.length;
    const padded = genuine([...marks, ...marks, invented], marking);
    expect(padded.kept).toHaveLength(once);
    expect(padded.rejected).toBe(1);
    expect(
      genuine(marks, markingOf(secret(2), { sampleDims: DIMS, classes: CLASSES }, 0.05)).kept.length,
    ).toBeLessThan(0.2 * marks.length);
  });

  it('gives the exact tail of the binomial distribution', () => {
    const sample = (from: number, to: number): MarkedSample => ({ from, to, input: new Float32Array(1) });
    const samples = [sample(0, 1), sample(0, 1), sample(0, 2), sample(0, 2)];
    // Three disagreements, two matches, 1/2 each: (3 + 1) / 8
    const { p, ...counts } = theftEvidence(samples, [1, 2, 2, 0], 3);
    expect(counts).toEqual({ asked: 4, disagreed: 3, matched: 2 });
    expect(p).toBeCloseTo(0.5, 12);
    expect(() => theftEvidence(samples, [1], 3)).toThrow('4 predictions');
    expect(() => theftEvidence(samples, [1, 1, 1, 1], 2)).toThrow('3 classes');
  });
});
