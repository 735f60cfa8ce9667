import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertsSchema, type QuietHours } from './config-schema.ts';
import { endOfQuiet } from './quiet-hours.ts';

const night: QuietHours = { from: '22:00', to: '07:00', zone: 'Europe/Berlin' };
const end = (quiet: QuietHours, at: string) => new Date(endOfQuiet(quiet, Date.parse(at))).toISOString();

describe('quiet hours', () => {
  it.each([
    ['2026-01-10T20:59:59.999Z', '2026-01-10T20:59:59.999Z'],
    ['2026-01-10T21:00:00.000Z', '2026-01-11T06:00:00.000Z'],
    ['2026-01-11T05:59:59.000Z', '2026-01-11T06:00:00.000Z'],
    ['2026-01-11T06:00:00.000Z', '2026-01-11T06:00:00.000Z'],
    ['2026-07-10T20:30:00.000Z', '2026-07-11T05:00:00.000Z'],
  ])('in Berlin, what comes at %s goes at %s', (at, goes) => {
    expect(end(night, at)).toBe(goes);
  });

  it('end at the same time of day where clocks are put forward and back', () => {
    expect(end(night, '2026-03-28T23:00:00Z')).toBe('2026-03-29T05:00:00.000Z');
    expect(end(night, '2026-10-24T22:00:00Z')).toBe('2026-10-25T06:00:00.000Z');
  });

  it('are of the days on which they begin', () => {
    const weekdays: QuietHours = { ...night, zone: 'UTC', days: ['mon', 'tue', 'wed', 'thu', 'fri'] };
    // 2026-11-20 is a Friday.
    expect(end(weekdays, '2026-11-21T03:00:00Z')).toBe('2026-11-21T07:00:00.000Z');
    expect(end(weekdays, '2026-11-21T23:00:00Z')).toBe('2026-11-21T23:00:00.000Z');
    expect(end(weekdays, '2026-11-23T03:00:00Z')).toBe('2026-11-23T03:00:00.000Z');
  });

  it('hold nothing back for more than a day, and end outside of themselves', () => {
    const clock = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
      .map((parts) => parts.map((n) => String(n).padStart(2, '0')).join(':'));
    const zone = fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'Pacific/Apia',
    );
    fc.assert(
      fc.property(
        clock,
        clock,
        zone,
        fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }),
        (from, to, where, at) => {
          fc.pre(from !== to);
          const quiet = { from, to, zone: where };
          const goes = endOfQuiet(quiet, at);
          expect(goes).toBeGreaterThanOrEqual(at);
          expect(goes - at).toBeLessThanOrEqual(26 * 3_600_000);
        },
      ),
    );
  });

  it('are in UTC unless a zone is named', () => {
    const { channels } = alertsSchema.parse({
      channels: [
        { kind: 'slack', name: 's', url: 'https://a.example/', quiet: { from: '22:00', to: '07:00' } },
      ],
    });
    expect(channels[0]!.quiet!.zone).toBe('UTC');
  });
});
