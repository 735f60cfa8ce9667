import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JSON_LENGTH_HEADER } from '../../oip/index.ts';
import { timingSchema } from './config-schema.ts';
import { manualTime } from './manual-time.fixture.ts';
import { padBody } from './pad-body.ts';
import { paddingField } from './pad-message.ts';
import { boundaryAfter, openTiming } from './schedule.ts';
import { openTimerWheel } from './timer-wheel.ts';

const open = (config: object) => {
  const time = manualTime();
  const missed: string[] = [];
  const timing = openTiming(timingSchema.parse(config), {
    clock: time.clock,
    alarm: time.alarm,
    missed: (how) => missed.push(how),
  });
  return { time, timing, missed };
};

describe('the timer wheel', () => {
  const wheelOf = (slots = 64) => {
    const time = manualTime();
    return { time, wheel: openTimerWheel({ tick: 1, slots, clock: time.clock, alarm: time.alarm }) };
  };

  it('wakes everybody at the first tick at or after their time, never before, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.double({ min: 0, max: 2000, noNaN: true }),
            fc.double({ min: 0, max: 40, noNaN: true }),
          ),
          {
            maxLength: 40,
          },
        ),
        async (asked) => {
          const { time, wheel } = wheelOf(4096);
          const woken: { readonly due: number; readonly at: number }[] = [];
          for (const [wait, gap] of asked) {
            const due = time.clock() + wait;
            void wheel.until(due).then(() => woken.push({ due, at: time.clock() }));
            await time.pass(gap);
          }
          await time.pass(2100);
          expect(woken).toHaveLength(asked.length);
          for (const { due, at } of woken) {
            expect(at).toBeGreaterThanOrEqual(due);
            expect(at - due).toBeLessThanOrEqual(1.001);
          }
          expect(wheel.occupied).toBe(0);
          expect(time.alarms()).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has one timer and as many slots as ticks, whoever waits', () => {
    const { time, wheel } = wheelOf();
    for (let i = 0; i < 10_000; i++) void wheel.until(time.clock() + (i % 500));
    expect(time.alarms()).toBe(1);
    expect(wheel.occupied).toBeLessThanOrEqual(64);
    wheel.close();
  });

  it('wakes late, and forgets nobody, after the process was busy', async () => {
    const { time, wheel } = wheelOf();
    let woken = 0;
    for (const wait of [3, 10, 60]) void wheel.until(time.clock() + wait).then(() => woken++);
    time.stall(200);
    // The slot of an old tick is taken by a new one.
    for (const wait of [1, 5, 63]) void wheel.until(time.clock() + wait).then(() => woken++);
    await time.pass(100);
    expect(woken).toBe(6);
    expect(wheel.occupied).toBe(0);
  });

  it('lets everybody go when it closes, and everybody after that', async () => {
    const { time, wheel } = wheelOf();
    const waiting = wheel.until(time.clock() + 50);
    wheel.close();
    await waiting;
    await wheel.until(time.clock() + 50);
    expect(time.alarms()).toBe(0);
  });
});

describe('boundaries', () => {
  it('are the first at or after the time that has gone', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 60_000, noNaN: true }),
        fc.double({ min: 1, max: 1000, noNaN: true }),
        (elapsed, every) => {
          for (const later of ['multiples', 'doubling'] as const) {
            const boundary = boundaryAfter(elapsed, every, later);
            const steps = boundary / every;
            expect(boundary).toBeGreaterThanOrEqual(elapsed);
            expect(later === 'multiples' ? steps % 1 : Math.log2(steps) % 1).toBeCloseTo(0, 6);
            const before = later === 'multiples' ? boundary - every : boundary / 2;
            expect(boundary === every || before < elapsed).toBe(true);
          }
        },
      ),
    );
  });
});

describe('answers', () => {
  it('leave at once unless a boundary is set', () => {
    const { timing } = open({});
    expect(timing.due(0)).toBeUndefined();
    expect(timing.padTo(77)).toBe(77);
  });

  it('abuse 24: leave at the same time after their arrival, however long the work took', async () => {
    const leftAfter: number[] = [];
    for (const work of [0.1, 3, 11, 24.5]) {
      const { time, timing } = open({ every: 25 });
      const arrived = time.clock();
      await time.pass(work);
      void timing.due(arrived)!.then(() => leftAfter.push(Math.floor(time.clock() - arrived)));
      await time.pass(100);
    }
    expect(new Set(leftAfter)).toEqual(new Set([25]));
  });

  it('that overrun leave at the next boundary and are counted', async () => {
    const { time, timing, missed } = open({ every: 10 });
    const arrived = time.clock();
    await time.pass(21);
    let left = 0;
    void timing.due(arrived)!.then(() => {
      left = time.clock() - arrived;
    });
    await time.pass(100);
    expect(Math.floor(left)).toBe(40);
    expect(missed).toEqual(['overrun']);
    expect(timing.figures()).toEqual({ answers: 1, overruns: 1, late: 0 });
  });

  it('that leave late because the process was busy are counted', async () => {
    const { time, timing, missed } = open({ every: 10 });
    void timing.due(time.clock());
    time.stall(50);
    await time.pass(1);
    expect(missed).toEqual(['late']);
  });

  it('all leave when it closes', async () => {
    const { time, timing } = open({ every: 1000 });
    const due = timing.due(time.clock());
    timing.close();
    await due;
  });
});

describe('lengths', () => {
  it('are multiples of the block, 1024 where answers wait', () => {
    const { timing } = open({ every: 5 });
    expect([0, 1, 1024, 1025].map((length) => timing.padTo(length))).toEqual([1024, 1024, 1024, 2048]);
    expect(open({ every: 5, pad: 0 }).timing.padTo(77)).toBe(77);
    expect(open({ pad: 100 }).timing.padTo(101)).toBe(200);
  });

  const padding = { padTo: (length: number) => Math.ceil(Math.max(1, length) / 64) * 64 };

  it('of JSON bodies are filled with blanks that change nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const body = new TextEncoder().encode(JSON.stringify(value));
        const padded = padBody({ body, headers: { 'content-type': 'application/json' } }, padding);
        expect(padded.body.length % 64).toBe(0);
        expect(JSON.parse(new TextDecoder().decode(padded.body))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('of bodies with binary tensors keep JSON and tensors where the header says', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (binary) => {
        const json = new TextEncoder().encode('{"outputs":[]}');
        const body = new Uint8Array([...json, ...binary]);
        const headers = { [JSON_LENGTH_HEADER]: `${json.length}` };
        const padded = padBody({ body, headers }, padding);
        const at = Number(padded.headers[JSON_LENGTH_HEADER]);
        expect(padded.body.length % 64).toBe(0);
        expect(JSON.parse(new TextDecoder().decode(padded.body.subarray(0, at)))).toEqual({ outputs: [] });
        expect(padded.body.subarray(at)).toEqual(binary);
      }),
    );
  });

  it('of protobuf messages are filled with one field that no reader knows', () => {
    for (const block of [1, 2, 3, 16, 100, 1024, 20_000])
      for (let length = 0; length < 400; length += 7) {
        const to = { padTo: (n: number) => Math.ceil(Math.max(1, n) / block) * block };
        const field = paddingField(length, to);
        expect((length + field.length) % block).toBe(0);
        if (field.length === 0) continue;
        expect([...field.subarray(0, 2)]).toEqual([0xfa, 0x7f]);
        let [size, at, shift] = [0, 2, 0];
        for (; ; shift += 7) {
          const byte = field[at++]!;
          size += (byte & 0x7f) * 2 ** shift;
          if (byte < 0x80) break;
        }
        expect(at + size).toBe(field.length);
      }
  });

  it('of error messages of the catalogue are all the same once padded', () => {
    const { timing } = open({ every: 5 });
    const lengths = new Set(
      ['no', 'the inputs are not acceptable', 'x'.repeat(900)].map((text) => timing.padTo(text.length)),
    );
    expect(lengths.size).toBe(1);
  });
});
