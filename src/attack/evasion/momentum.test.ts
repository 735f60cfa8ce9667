import { describe, expect, it } from 'vitest';
import { asked, gapBetween, hills, SIZE, victimIn, x0 } from '../hills.fixture.ts';
import { resizeAndPad } from '../resize-and-pad.ts';
import { diFgsm, diverseTalk } from './di-fgsm.ts';
import { eotPgd, expectationTalk } from './eot-pgd.ts';
import { miFgsm, momentumTalk } from './mi-fgsm.ts';
import { nesterovTalk, niFgsm } from './ni-fgsm.ts';
import { varianceTalk, vmiFgsm } from './vmi-fgsm.ts';

const EPS = 0.2;
const STEP = 0.02;
const linf = victimIn({ norm: 'linf', eps: EPS, bounds: [0, 1] });
const clamp = (v: number, low: number, high: number) => Math.min(Math.max(v, low), high);
const meanSize = (g: readonly number[]) => g.reduce((sum, v) => sum + Math.abs(v), 0) / g.length;
const inBall = (x: readonly number[]) => x.map((v, i) => clamp(clamp(v, x0[i]! - EPS, x0[i]! + EPS), 0, 1));

/** The published loop in linf: `look` says where the gradient is taken, `tune` what becomes of it. */
function published(
  steps: number,
  decay: number,
  look: (x: readonly number[], momentum: readonly number[]) => number[],
  tune: (g: readonly number[], step: number) => readonly number[] = (g) => g,
): number[][] {
  const points: number[][] = [];
  let x = [...x0];
  let momentum = x.map(() => 0);
  for (let step = 0; step < steps; step++) {
    const at = look(x, momentum);
    points.push(at);
    const g = tune([...hills(at).gradient], step);
    momentum = momentum.map((m, i) => decay * m + g[i]! / meanSize(g));
    x = inBall(x.map((v, i) => v + STEP * Math.sign(momentum[i]!)));
  }
  return [...points, x];
}

describe('the momentum methods', () => {
  it('visit the points of the published loop', () => {
    const { points, questions } = asked(momentumTalk(linf, { ...miFgsm.defaults, decay: 0.8 }));
    expect(
      gapBetween(
        points,
        published(10, 0.8, (x) => [...x]),
      ),
    ).toBeLessThan(1e-5);
    expect(questions.map((q) => q.kind)).toEqual([...new Array(10).fill('gradient'), 'answers']);
  });

  it('look one step ahead in the Nesterov form', () => {
    const expected = published(10, 0.8, (x, m) => x.map((v, i) => v + 0.8 * STEP * m[i]!));
    const { points } = asked(nesterovTalk(linf, { ...niFgsm.defaults, decay: 0.8 }));
    expect(gapBetween(points, expected)).toBeLessThan(1e-5);
    expect(points[1]!.some((v, i) => Math.abs(v - x0[i]!) > 1.5 * STEP)).toBe(true);
  });

  it('look as far ahead in l2 as a step is long', () => {
    const victim = victimIn({ norm: 'l2', eps: 1, bounds: [-9, 9] });
    const { points } = asked(nesterovTalk(victim, { ...niFgsm.defaults, steps: 2 }));
    const far = Math.hypot(...points[1]!.map((v, i) => v - x0[i]!));
    expect(far).toBeGreaterThan(0.15);
    expect(far).toBeLessThan(0.3);
  });

  it('correct gradients by what those around the iterate before said', () => {
    const options = { ...vmiFgsm.defaults, steps: 4, neighbours: 3 };
    const { points, questions } = asked(varianceTalk(linf, options));
    const probes = points.filter((_, i) => questions[i]!.probe);
    expect(probes).toHaveLength(3 * 3);
    const iterates = points.filter((_, i) => !questions[i]!.probe);
    for (const [i, probe] of probes.entries()) {
      const centre = iterates[Math.floor(i / 3)]!;
      const far = Math.max(...probe.map((v, j) => Math.abs(v - centre[j]!)));
      expect(far).toBeLessThanOrEqual(1.5 * EPS + 1e-6);
      expect(far).toBeGreaterThan(EPS / 2);
    }
    const variance = (step: number) => {
      const around = probes.slice(3 * step, 3 * step + 3).map((p) => hills(p).gradient);
      const here = hills(iterates[step]!).gradient;
      return [...here].map((g, i) => around.reduce((sum, a) => sum + a[i]! / 3, 0) - g);
    };
    const expected = published(
      4,
      1,
      (x) => [...x],
      (g, step) => (step === 0 ? g : g.map((v, i) => v + variance(step - 1)[i]!)),
    );
    expect(gapBetween(iterates, expected)).toBeLessThan(1e-5);
  });

  it('take gradients that are no numbers, or zero, for nothing', () => {
    for (const value of [Number.NaN, 0, Number.POSITIVE_INFINITY]) {
      const talk = momentumTalk(linf, { ...miFgsm.defaults, steps: 2 });
      const gradient = new Float32Array(SIZE).fill(value);
      const answer = { logits: new Float32Array(2), margins: [1], reached: [false], loss: 0, gradient };
      talk.next();
      const second = talk.next(answer).value;
      expect(second && 'point' in second ? second.point : undefined).toEqual(x0);
    }
  });
});

describe('diverse inputs', () => {
  const image = { channels: 1, height: 4, width: 5, layout: 'chw' } as const;
  const victim = victimIn({ norm: 'linf', eps: EPS, bounds: [0, 1] }, image);

  it('resize as PyTorch does and fill the rest', () => {
    const squares = Float32Array.from({ length: 20 }, (_, i) => i ** 2 / 100);
    const out = new Float32Array(20);
    resizeAndPad(image, { height: 3, width: 4, top: 1, left: 0 }, 7).apply(squares, out);
    // torch 2.15.0: interpolate(size=[3, 4], mode='bilinear', align_corners=False)
    const inside = [
      [0.045, 0.085833, 0.156667, 0.2575, 7],
      [0.645, 0.8525, 1.09, 1.3575, 7],
      [2.078334, 2.4525, 2.856667, 3.290833, 7],
    ];
    const expected = [7, 7, 7, 7, 7, ...inside.flat()];
    for (const [i, v] of expected.entries()) expect(out[i]).toBeCloseTo(v, 5);
  });

  it.each(['chw', 'hwc'] as const)('are taken back by the exact transpose (%s)', (layout) => {
    const dims = { channels: 3, height: 6, width: 7, layout } as const;
    const whole = (salt: number) => Float32Array.from({ length: 126 }, (_, i) => ((i * salt) % 17) - 8);
    const [x, g] = [whole(5), whole(11)];
    const [ax, ag] = [new Float32Array(126), new Float32Array(126)];
    const map = resizeAndPad(dims, { height: 3, width: 4, top: 2, left: 3 }, 0);
    map.apply(x, ax);
    map.adjoint(g, ag);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
    expect(dot(ax, g)).toBeCloseTo(dot(x, ag), 2);
    expect(ax.some((v) => v !== 0)).toBe(true);
  });

  it('step along gradients at resized copies, and never offer those as examples', () => {
    const options = { ...diFgsm.defaults, steps: 30, diversityProb: 0.5, resizeRate: 0.5 };
    const { points, questions } = asked(diverseTalk(victim, options));
    const probes = questions.filter((q) => q.probe).length;
    expect(probes).toBeGreaterThan(5);
    expect(probes).toBeLessThan(25);
    expect(points).toHaveLength(31);
    expect(points.some((p, i) => questions[i]!.probe && p.filter((v) => v === 0).length > 3)).toBe(true);
    const never = asked(diverseTalk(victim, { ...options, diversityProb: 0 })).points;
    const fraction = { ...miFgsm.defaults, steps: 30, decay: 0 };
    expect(gapBetween(never, asked(momentumTalk(linf, fraction)).points)).toBe(0);
  });

  it('ask for a picture', () => {
    expect(() => diverseTalk(linf, diFgsm.defaults).next()).toThrow(
      /di-fgsm: expected samples that are pictures/,
    );
  });
});

describe('PGD on an expectation', () => {
  it('asks for the mean of several passes, at every iterate and at the last', () => {
    const options = { ...eotPgd.defaults, steps: 3, restarts: 2, average: 4 };
    const { points, questions } = asked(expectationTalk(linf, options));
    expect(questions.map((q) => (q.kind === 'gradient' ? q.average : 0))).toEqual(new Array(8).fill(4));
    for (const first of [0, 4])
      for (let step = first; step < first + 3; step++) {
        const { gradient } = hills(points[step]!);
        const next = inBall(points[step]!.map((v, i) => v + 0.1 * EPS * Math.sign(gradient[i]!)));
        expect(gapBetween([points[step + 1]!], [next])).toBeLessThan(1e-6);
      }
    expect(points[4]).not.toEqual(points[0]);
  });
});
