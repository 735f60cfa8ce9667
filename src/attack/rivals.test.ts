import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../runtime/engine.ts';
import { openTarget } from '../runtime/target.ts';
import { classificationGoal } from '../threat/goal.ts';
import { hiddenModel, randomRows } from '../threat/small-model.fixture.ts';
import { whiteBoxAnswerer } from './answerer.ts';
import { drive, type Speaker } from './drive.ts';
import type { Talk } from './question.ts';
import { allLeadsOf, type Lead, leadsOf } from './rivals.ts';
import type { Victim } from './sample-attack.ts';

const SIZE = 6;
const CLASSES = 5;
const N = 7;
const points = randomRows('rivals', N, SIZE);
const goal = classificationGoal(new Array<number>(N).fill(1), CLASSES);
const rivals = [0, 2, 4];

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** What a talk for each point gives, and what it cost. */
async function talked(
  together: boolean,
  talk: (victim: Victim, point: Float32Array) => Talk<readonly Lead[]>,
) {
  const target = openTarget(engine, hiddenModel(SIZE, 8, CLASSES));
  const heard: { readonly value: number; readonly gradient: number[] }[][] = [];
  const speakers = Array.from({ length: N }, (_, sample): Speaker => {
    const victim = {
      ...{ sample, size: SIZE, classes: CLASSES, goal, together },
      *gradient(point, question) {
        return yield { kind: 'gradient', point, loss: 'goal', ...question };
      },
    } as Pick<Victim, 'sample' | 'size' | 'classes' | 'goal' | 'together' | 'gradient'> as Victim;
    function* whole(): Talk {
      const leads = yield* talk(victim, points.slice(sample * SIZE, (sample + 1) * SIZE));
      heard[sample] = leads.map(({ value, gradient }) => ({ value, gradient: [...gradient] }));
    }
    return {
      ...{ sample, talk: whole(), budget: 100, asked: 0, heard: () => false, over() {} },
      judge: (logits, offset) => ({
        margin: goal.margin(sample, logits, offset),
        reached: goal.reached(sample, logits, offset),
      }),
    };
  });
  try {
    const answerer = whiteBoxAnswerer(target, goal, 4);
    await drive(speakers, { answerer, size: SIZE, classes: CLASSES });
    return { heard, asked: speakers.map(({ asked }) => asked), queries: { ...target.queries } };
  } finally {
    await target.close();
  }
}

const all = (untilReached: boolean) => (victim: Victim, point: Float32Array) =>
  allLeadsOf(victim, rivals, { untilReached })(point);

describe('the leads of several rivals', () => {
  it('are the same together, from one forward pass, as one by one', async () => {
    const [together, single] = [await talked(true, all(false)), await talked(false, all(false))];
    for (const [i, leads] of together.heard.entries())
      for (const [k, { value, gradient }] of leads.entries()) {
        expect(value).toBeCloseTo(single.heard[i]![k]!.value, 5);
        for (const [j, g] of gradient.entries()) expect(g).toBeCloseTo(single.heard[i]![k]!.gradient[j]!, 5);
      }
    expect(together.queries).toEqual({ forward: N, gradient: rivals.length * N });
    expect(single.queries).toEqual({ forward: rivals.length * N, gradient: rivals.length * N });
    // A budget is one of gradients, however they are asked for.
    expect(together.asked).toEqual(single.asked);
  });

  it('are what each rival leads by, and how that grows', async () => {
    const { heard } = await talked(true, all(false));
    const { heard: each } = await talked(false, function* (victim, point) {
      const leads: Lead[] = [];
      for (const rival of rivals) {
        const lead = yield* leadsOf(victim)(point, rival);
        leads.push({ ...lead, gradient: lead.gradient.slice() });
      }
      return leads;
    });
    expect(heard[3]!.map(({ value }) => value.toFixed(4))).toEqual(
      each[3]!.map(({ value }) => value.toFixed(4)),
    );
  });

  it('end, one by one, with the first point that reaches the goal where that is enough', async () => {
    const { heard } = await talked(false, all(true));
    const reached = heard.filter((leads) => leads.length < rivals.length);
    expect(reached.length).toBeGreaterThan(0);
    for (const leads of reached) expect(leads).toHaveLength(1);
  });
});
