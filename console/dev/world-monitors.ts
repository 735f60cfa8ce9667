import { type Rng, randomFrom } from '../../src/core/random.ts';
import { renderSign, SIGN_CLASSES } from '../../src/data/traffic-signs/render.ts';
import type { Monitors } from '../../src/gateway/console/api.ts';
import type { MonitorState } from '../../src/monitor/monitor.ts';

const MINUTE = 60_000;

/** Monitors of all models, one of each phase at least. */
export function monitorsAt(now: number, rng: Rng): MonitorState[] {
  const course = (
    model: string,
    monitor: string,
    shape: (part: number) => number,
    noise: number,
  ): MonitorState['series'] =>
    Array.from({ length: 240 }, (_, i) => {
      const stream = rng.fork(model, monitor, i);
      return [now - (239 - i) * 6 * MINUTE, Math.max(0, shape(i / 239) + noise * stream.normal())] as const;
    });
  const state = (
    monitor: string,
    model: string,
    given: Partial<MonitorState> & { readonly shape?: (part: number) => number; readonly noise?: number },
  ): MonitorState => {
    const { shape = () => 0.2, noise = 0.03, ...rest } = given;
    const series = course(model, monitor, shape, noise);
    return {
      monitor,
      model,
      phase: 'watching',
      score: series.at(-1)?.[1],
      threshold: 0.5,
      series,
      falseAlarms: { budgetPerDay: 1 / 7, measuredPerDay: 0.09, on: 120_000 },
      parts: [],
      ...rest,
    };
  };
  const feature = (name: string, shift: number, spread: number): MonitorState['parts'][number] => {
    const bins = Array.from({ length: 25 }, (_, i) => i / 24);
    const bell = (centre: number, width: number) =>
      bins.slice(1).map((edge) => Math.round(4000 * Math.exp(-(((edge - 0.02 - centre) / width) ** 2)) + 20));
    return {
      name,
      score: Math.abs(shift) * 2 + Math.abs(spread - 1) / 2,
      p: Math.max(1e-12, 10 ** (-Math.abs(shift) * 60)),
      bins,
      reference: bell(0.46, 0.2),
      current: bell(0.46 + shift, 0.2 * spread).map((n) => Math.round(n * 0.3)),
    };
  };
  return [
    state('input-drift', 'traffic-signs', {
      phase: 'alarmed',
      threshold: 0.2,
      shape: (part) => 0.08 + Math.max(0, part - 0.45) * 0.5,
      noise: 0.012,
      parts: [
        feature('brightness', -0.15, 0.9),
        feature('contrast', -0.11, 0.7),
        feature('cell 3,4 red', -0.08, 1),
        feature('cell 4,4 red', -0.06, 1.1),
        feature('sharpness', -0.04, 0.95),
        feature('cell 0,7 blue', 0.02, 1),
        feature('cell 7,0 green', 0.01, 1.02),
        feature('saturation', 0.005, 1),
      ],
    }),
    state('prediction-drift', 'traffic-signs', {
      threshold: 0.3,
      shape: (part) => 0.1 + 0.1 * part,
      noise: 0.015,
    }),
    state('slow-bleeding', 'traffic-signs', {
      threshold: 20,
      shape: (part) => 1 + 3 * part,
      noise: 0.2,
      falseAlarms: { budgetPerDay: 0.02, on: 0 },
    }),
    state('sybil-probing', 'traffic-signs', {
      phase: 'alarmed',
      threshold: 6,
      shape: (part) => (part > 0.93 ? (part - 0.93) * 700 : 1.2),
      noise: 0.3,
      parts: [
        { name: 'probe-a7', score: 48 },
        { name: 'probe-c9', score: 41 },
        { name: 'probe-b2', score: 39 },
        { name: 'dashcam-app', score: 1.4 },
      ],
    }),
    state('extraction', 'traffic-signs', {
      threshold: 0.41,
      shape: (part) => 0.22 + (part > 0.6 && part < 0.88 ? 0.6 : 0),
      noise: 0.02,
      parts: [
        { name: 'mallory-labs', score: 0.38 },
        { name: 'university', score: 0.21 },
        { name: 'fleet-eu', score: 0.12 },
      ],
    }),
    state('input-drift', 'credit', {
      threshold: 0.2,
      shape: () => 0.06,
      noise: 0.01,
      parts: [
        feature('income', 0.01, 1.02),
        feature('age', 0.004, 1),
        feature('requested amount', 0.02, 1.05),
      ],
    }),
    state('accuracy', 'credit', {
      phase: 'blind',
      because: 'No true labels arrived in the last 30 days.',
      score: undefined,
      threshold: 0.05,
      series: [],
    }),
    state('input-drift', 'digits', {
      phase: 'learning',
      because: '8,120 of 20,000 calm samples seen.',
      score: undefined,
      threshold: undefined,
      series: [],
    }),
  ];
}

/** Inputs that were drawn lately: signs as grids of 8 × 8 means. */
export function samplesAt(now: number, model: string, clients: readonly string[]): Monitors['samples'] {
  if (model === 'digits') return [];
  return Array.from({ length: 16 }, (_, i) => {
    const rng = randomFrom(7, model, i);
    const id = Array.from({ length: 4 }, () =>
      rng
        .integer(2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ).join('');
    const about = {
      decision: id,
      at: now - i * 41_000,
      principal: clients[rng.integer(Math.min(12, clients.length))],
    };
    if (model === 'credit')
      return {
        ...about,
        label: rng.integer(2),
        score: 0.5 + rng.uniform() / 2,
        features: Array.from({ length: 8 }, () => rng.normal()),
      };
    const label = rng.integer(SIGN_CLASSES.length);
    return { ...about, label, score: 0.55 + 0.45 * rng.uniform(), picture: smallSign(label, rng) };
  });
}

/** A sign as 8 × 8 means, channels last. */
function smallSign(label: number, rng: Rng) {
  const bytes = renderSign(label, rng);
  const values = Array.from({ length: 8 * 8 * 3 }, (_, at) => {
    const [y, x, c] = [Math.floor(at / 24), Math.floor(at / 3) % 8, at % 3];
    let sum = 0;
    for (let dy = 0; dy < 4; dy++)
      for (let dx = 0; dx < 4; dx++) sum += bytes[c * 1024 + (y * 4 + dy) * 32 + x * 4 + dx]!;
    return sum / 16 / 255;
  });
  return { width: 8, height: 8, channels: 3, values };
}

/** The names of the classes of a model. */
export function classNamesOf(model: string): readonly string[] | undefined {
  if (model === 'credit') return ['repays', 'defaults'];
  return model === 'traffic-signs' ? SIGN_CLASSES.map(({ name }) => name) : undefined;
}
