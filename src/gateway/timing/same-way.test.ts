import { expect, it } from 'vitest';
import { questionFixture, stagesFixture } from '../pipeline.fixture.ts';
import { openPipeline } from '../pipeline.ts';
import { Refused } from '../refusal.ts';
import { timingSchema } from './config-schema.ts';
import { manualTime } from './manual-time.fixture.ts';
import { openTiming } from './schedule.ts';

/** How long a call takes through the whole pipeline, whose stages take what they are told. */
async function leavesAfter(
  config: object,
  over: (time: ReturnType<typeof manualTime>) => Parameters<typeof stagesFixture>[0],
  model = 'm',
): Promise<{ readonly kind: string; readonly after: number }> {
  const time = manualTime();
  const schedule = openTiming(timingSchema.parse(config), time);
  const gateway = openPipeline(stagesFixture({ schedule, clock: time.clock, ...over(time) }));
  const arrived = time.clock();
  let left: { readonly kind: string; readonly after: number } | undefined;
  const question = { ...questionFixture([[1, 2, 3]]), model, arrived };
  void gateway.infer(question).then(({ kind }) => {
    left = { kind, after: Math.floor(time.clock() - arrived) };
  });
  for (let i = 0; i < 400 && left === undefined; i++) await time.pass(0.25);
  return left!;
}

/** Calls that end in different places, after different work. */
const WAYS: Readonly<
  Record<
    string,
    readonly [
      over: (time: ReturnType<typeof manualTime>) => Parameters<typeof stagesFixture>[0],
      model?: string,
    ]
  >
> = {
  answered: [() => ({})],
  'answered by a slow log': [
    (time) => ({
      recorder: {
        ...stagesFixture().recorder,
        record: async () => {
          time.stall(6);
          return 0;
        },
      },
    }),
  ],
  'no such model': [() => ({}), 'other'],
  forbidden: [() => ({ rights: { decide: () => ({ detail: undefined, because: 'a test' }) } })],
  unauthenticated: [
    (time) => ({
      identifier: {
        identify: () => {
          time.stall(2);
          throw new Refused('unauthenticated', 'a test');
        },
      },
    }),
  ],
  'refused by a guard that looked twice': [
    (time) => ({
      guards: () => [
        {
          name: 'slow',
          phase: 'before',
          judge: () => {
            time.stall(4);
            return { action: 'refuse', score: 9 };
          },
        },
      ],
    }),
  ],
  throttled: [() => ({ rates: { take: () => 3 } })],
};

it('abuse 20 and 24: whatever ends a call, and wherever, the reply leaves at the same boundary', async () => {
  const ends = new Set<string>();
  for (const [over, model] of Object.values(WAYS)) {
    const { kind, after } = await leavesAfter({ every: 10 }, over, model);
    ends.add(kind);
    expect(after).toBe(10);
  }
  expect(ends).toEqual(new Set(['answer', 'refusal']));
});

it('without boundaries the work shows: the test above would notice', async () => {
  const times = new Set<number>();
  for (const [over, model] of Object.values(WAYS)) times.add((await leavesAfter({}, over, model)).after);
  expect(times.size).toBeGreaterThan(2);
});
