import { describe, expect, it } from 'vitest';
import type { Answerer, Row } from './answerer.ts';
import { drive, type Speaker } from './drive.ts';
import type { Answer, Talk } from './question.ts';

/** An answerer of one logit, the sum of a point's elements; its gradient is the loss's name as a length. */
function adder(batch: number, parallel = 1, change: Partial<Answerer> = {}, pause = (_batch: number) => 1) {
  const batches: (readonly Row[])[] = [];
  let under = 0;
  let most = 0;
  const answerer: Answerer = {
    batch,
    parallel,
    ...change,
    async answer(rows) {
      batches.push(rows);
      most = Math.max(most, ++under);
      await new Promise((resolve) => setTimeout(resolve, pause(batches.length)));
      under--;
      const points = rows.map(({ question: q, index }) =>
        q.kind === 'gradient' ? q.point : q.points.subarray(index * 2, index * 2 + 2),
      );
      return {
        logits: Float32Array.from(points, ([a, b]) => a! + b!),
        losses: Float32Array.from(points, ([a]) => a!),
        gradients: Float32Array.from(points.flatMap((p) => [...p])),
      };
    },
  };
  return { answerer, batches, most: () => most };
}

function speaker(sample: number, talk: Talk, change: Partial<Speaker> = {}): Speaker & { ended: number } {
  return {
    sample,
    talk,
    budget: Number.POSITIVE_INFINITY,
    asked: 0,
    heard: () => false,
    judge: (logits, offset) => ({ margin: logits[offset]!, reached: logits[offset]! < 0 }),
    over() {
      this.ended++;
    },
    ended: 0,
    ...change,
  };
}

const options = (answerer: Answerer, signal?: AbortSignal) => ({ answerer, size: 2, classes: 1, signal });

function* counting(steps: number, heard: number[] = []): Talk {
  for (let i = 0; i < steps; i++) {
    const { logits }: Answer = yield { kind: 'answers', points: Float32Array.of(i, 0), count: 1 };
    heard.push(logits[0]!);
  }
}

describe('drive', () => {
  it('gives each talk the answers to its own questions, in full batches while there are samples', async () => {
    const { answerer, batches } = adder(4);
    const heard = Array.from({ length: 10 }, () => [] as number[]);
    const speakers = heard.map((list, i) => speaker(i, counting(1 + (i % 3), list)));
    await drive(speakers, options(answerer));
    expect(heard.map((list) => list.length)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1]);
    for (const list of heard) expect(list).toEqual(list.map((_, i) => i));
    expect(batches.slice(0, 4).map((rows) => rows.length)).toEqual([4, 4, 4, 4]);
    expect(speakers.every((s) => s.ended === 1)).toBe(true);
  });

  it('never mixes questions that need different graphs', async () => {
    const { answerer, batches } = adder(3);
    function* mixed(first: 'goal' | 'margin'): Talk {
      yield { kind: 'gradient', point: Float32Array.of(1, 2), loss: first };
      yield { kind: 'answers', points: Float32Array.of(1, 2), count: 1 };
    }
    await drive(
      [0, 1, 2, 3].map((i) => speaker(i, mixed(i % 2 ? 'goal' : 'margin'))),
      options(answerer),
    );
    for (const rows of batches)
      expect(
        new Set(rows.map((r) => JSON.stringify([r.question.kind, 'loss' in r.question && r.question.loss])))
          .size,
      ).toBe(1);
  });

  it('splits a question of many points over batches and joins the answers in order', async () => {
    const { answerer } = adder(3);
    const points = Float32Array.from({ length: 20 }, (_, i) => (i % 2 ? 0 : i / 2));
    let logits: readonly number[] = [];
    function* many(): Talk {
      const answer: Answer = yield { kind: 'answers', points, count: 10 };
      logits = [...answer.logits];
    }
    await drive([speaker(0, many())], options(answerer));
    expect(logits).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('averages the passes that a gradient question asks for, and counts each', async () => {
    const { answerer, batches } = adder(4);
    let got: Answer | undefined;
    function* average(): Talk {
      got = yield { kind: 'gradient', point: Float32Array.of(3, 5), loss: 'goal', average: 6 };
    }
    const one = speaker(0, average());
    await drive([one], options(answerer));
    expect([...got!.gradient]).toEqual([3, 5].map((v) => expect.closeTo(v, 5)));
    expect(got!.loss).toBeCloseTo(3, 5);
    expect(one.asked).toBe(6);
    expect(batches.map((rows) => rows.length)).toEqual([4, 2]);
  });

  it('ends a talk whose next question would exceed its budget, and one whose listener has heard enough', async () => {
    const { answerer } = adder(4);
    const heard: number[] = [];
    const poor = speaker(0, counting(10, heard), { budget: 3 });
    const done = speaker(1, counting(10), { heard: (_q, { logits }) => logits[0] === 5 });
    await drive([poor, done], options(answerer));
    expect([poor.asked, done.asked, poor.ended, done.ended]).toEqual([3, 6, 1, 1]);
    expect(heard).toEqual([0, 1, 2]);
  });

  it('keeps as many requests under way as the answerer allows', async () => {
    const { answerer, most } = adder(2, 3);
    await drive(
      Array.from({ length: 30 }, (_, i) => speaker(i, counting(3))),
      options(answerer),
    );
    expect(most()).toBe(3);
  });

  it('runs what there is at once, in parts that waste nothing, where an answerer has sizes', async () => {
    const { answerer, batches } = adder(16, 2, { sizes: [16, 4] });
    const speakers = Array.from({ length: 30 }, (_, i) => speaker(i, counting(2)));
    await drive(speakers, options(answerer));
    const sizes = batches.map((rows) => rows.length);
    expect(sizes.slice(0, 2)).toEqual([16, 4]);
    expect(sizes.reduce((a, b) => a + b)).toBe(60);
    expect(speakers.every((s) => s.ended === 1)).toBe(true);
  });

  it('hears answers in the order of the batches where the answerer says so, so that the clock decides nothing', async () => {
    const composed = async (inOrder: boolean, pause: (batch: number) => number) => {
      const { answerer, batches } = adder(4, 3, { sizes: [4, 1], inOrder }, pause);
      const speakers = Array.from({ length: 25 }, (_, i) => speaker(i, counting(1 + (i % 4))));
      await drive(speakers, options(answerer));
      return batches.map((rows) => rows.map(({ sample }) => sample));
    };
    const rising = (batch: number) => 1 + batch / 2;
    const mixed = (batch: number) => (batch % 3 === 1 ? 12 : 1);
    expect(await composed(true, mixed)).toEqual(await composed(true, rising));
    expect(await composed(false, mixed)).not.toEqual(await composed(false, rising));
  });

  it('opens no more talks than it may', async () => {
    const { answerer } = adder(2);
    let open = 0;
    let most = 0;
    function* counted(): Talk {
      most = Math.max(most, ++open);
      yield* counting(3);
      open--;
    }
    const speakers = Array.from({ length: 20 }, (_, i) => speaker(i, counted()));
    await drive(speakers, { ...options(answerer), open: 7 });
    expect(most).toBe(7);
  });

  it('stops at a signal between batches and leaves open talks undecided', async () => {
    const { answerer } = adder(2);
    const controller = new AbortController();
    const speakers = Array.from({ length: 6 }, (_, i) =>
      speaker(i, counting(i < 2 ? 1 : 50), {
        over() {
          (this as unknown as { ended: number }).ended++;
          controller.abort('the test');
        },
      }),
    );
    await expect(drive(speakers, options(answerer, controller.signal))).rejects.toThrow(/cancelled/);
    expect(speakers.some((s) => s.ended === 1)).toBe(true);
    expect(speakers.filter((s) => s.ended === 0).length).toBeGreaterThan(0);
  });

  it('passes on what goes wrong in the model and in a talk', async () => {
    const broken: Answerer = { batch: 2, parallel: 1, answer: () => Promise.reject(new Error('the model')) };
    await expect(drive([speaker(0, counting(1))], options(broken))).rejects.toThrow('the model');
    function* wrong(): Talk {
      yield { kind: 'answers', points: new Float32Array(2), count: 1 };
      throw new Error('the talk');
    }
    await expect(drive([speaker(0, wrong())], options(adder(2).answerer))).rejects.toThrow('the talk');
  });
});
