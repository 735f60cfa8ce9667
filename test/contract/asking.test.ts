import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAnswers } from '../../src/assess/endpoint-source.ts';
import { type Outcome, runAttack } from '../../src/assess/evasion.ts';
import { openSubject } from '../../src/assess/open-subject.ts';
import { judge, type Subject } from '../../src/assess/subject.ts';
import { EVASION_ATTACKS, planAttack } from '../../src/attack/registry.ts';
import { silent } from '../../src/core/progress.ts';
import type { Model } from '../../src/onnx/model.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { fileOracle } from '../../src/runtime/file-oracle.ts';
import type { Oracle } from '../../src/runtime/oracle.ts';
import type { WhiteBoxTarget } from '../../src/runtime/target.ts';
import { classificationGoal, type Goal } from '../../src/threat/goal.ts';
import type { Norm } from '../../src/threat/norm.ts';
import { BOUNDS, curved, EPS, IMAGE, N, SIZE, samples } from './curved.ts';
import { QUICK } from './quick-attacks.ts';

/** Samples in one run of the graph: fewer than any graph would take by itself. */
const BATCH = 3;
const FIRST = { x: samples.subarray(0, 4 * SIZE), count: 4 };

let engine: Engine;
let subject: Subject;
let surrogate: WhiteBoxTarget;
let goal: Goal;
beforeAll(async () => {
  engine = startEngine({ threads: 1 });
  subject = await opened(curved());
  surrogate = (await opened(curved(0.8))).target!;
  const { prediction } = await judge(
    subject,
    classificationGoal(new Int32Array(N), 3),
    samples,
    N,
    undefined,
  );
  goal = classificationGoal(Int32Array.from(prediction), 3);
});
afterAll(() => engine.close());

async function opened(model: Model): Promise<Subject> {
  const { subject } = await openSubject(engine, {
    model,
    deployed: model,
    input: 'x',
    sampleDims: IMAGE,
    fixed: {},
    output: undefined,
    batch: BATCH,
    first: FIRST,
    signal: undefined,
  });
  return subject;
}

const optionsOf = (id: string) => planAttack({ name: id, options: { ...QUICK[id] } });

function attacked(
  id: string,
  norm: Norm,
  on: Subject,
  helped: WhiteBoxTarget,
  batch: number,
): Promise<Outcome> {
  return runAttack(
    on,
    optionsOf(id),
    goal,
    { norm, eps: EPS[norm], bounds: BOUNDS },
    samples,
    { reached: new Uint8Array(N) },
    { seed: 1, batch, firstSample: 0, progress: silent, surrogate: helped },
  );
}

/** A target that notes how many samples its graphs are made for. */
function watched(target: WhiteBoxTarget): { readonly target: WhiteBoxTarget; readonly rows: number[] } {
  const rows: number[] = [];
  const { lanes } = target;
  return {
    rows,
    target: {
      ...target,
      compile(key, batch, build) {
        rows.push(batch);
        return target.compile(key, batch, build);
      },
      lanes: lanes && {
        count: lanes.count,
        compile(key, batch, build) {
          rows.push(batch);
          return lanes.compile(key, batch, build);
        },
      },
    },
  };
}

/** The same network as somebody who answers, and nothing else. */
async function behindEndpoint(asked: { most: number }): Promise<Subject> {
  const file = fileOracle(subject.target!, BATCH);
  const oracle: Oracle = {
    sampleDims: IMAGE,
    classes: 3,
    batch: BATCH,
    parallel: 2,
    async ask(points, n) {
      asked.most = Math.max(asked.most, n);
      return (await file.ask(points.slice(0, n * SIZE), n)).slice();
    },
    close: async () => {},
  };
  return (await openAnswers(oracle, FIRST, {})).subject;
}

const normsOf = (id: string): readonly Norm[] => {
  const { norms } = EVASION_ATTACKS.find((attack) => attack.id === id)!;
  return norms.length > 0 ? norms : ['linf'];
};

describe.each(EVASION_ATTACKS.map(({ id }) => id))('the attack %s', (id) => {
  it('runs no graph on more samples than the batch that it is given', async () => {
    const [own, other] = [watched(subject.target!), watched(surrogate)];
    const outcome = await attacked(
      id,
      normsOf(id)[0]!,
      { ...subject, target: own.target, oracle: fileOracle(own.target, BATCH) },
      other.target,
      BATCH,
    );
    expect(outcome.complete).toBe(true);
    expect(own.rows.length).toBeGreaterThan(0);
    expect(Math.max(...own.rows, ...other.rows)).toBeLessThanOrEqual(BATCH);
  });
});

const ASKING = EVASION_ATTACKS.filter(({ needs }) => needs !== 'gradient').map(({ id }) => id);

describe.each(ASKING)('the attack %s on an endpoint', (id) => {
  it.each(normsOf(id))('in %s finds what it finds on the file, within its budget', async (norm) => {
    const asked = { most: 0 };
    const endpoint = await behindEndpoint(asked);
    expect(endpoint.target).toBeUndefined();
    const [there, here] = [
      await attacked(id, norm, endpoint, surrogate, BATCH),
      await attacked(id, norm, subject, surrogate, BATCH),
    ];
    expect(there.success.some(Boolean)).toBe(true);
    expect(there.success).toEqual(here.success);
    expect(there.prediction).toEqual(here.prediction);
    let gap = 0;
    for (let i = 0; i < there.x.length; i++) gap = Math.max(gap, Math.abs(there.x[i]! - here.x[i]!));
    expect(gap).toBeLessThan(1e-4);
    expect(there.gradientQueries).toBe(0);
    expect(asked.most).toBeLessThanOrEqual(BATCH);
    const { queries } = optionsOf(id).options as { readonly queries?: number };
    if (queries !== undefined) expect(Math.max(...there.asked)).toBeLessThanOrEqual(queries);
  });
});
