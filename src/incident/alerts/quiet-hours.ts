import type { QuietHours } from './config-schema.ts';

const MINUTE = 60_000;
const DAY = 24 * 60;
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** When something that comes now may be sent: now, or when the quiet hours end. Milliseconds since 1970; exact to the minute, also where clocks are put forward or back. */
export function endOfQuiet(quiet: QuietHours | undefined, at: number): number {
  if (quiet === undefined || !isQuiet(quiet, at)) return at;
  const { minute } = localTime(quiet.zone, at);
  const guess = floorMinute(at) + ((minutesOf(quiet.to) - minute + DAY) % DAY || DAY) * MINUTE;
  // A clock that was moved in between shows another time than was reckoned with.
  const off = ((localTime(quiet.zone, guess).minute - minutesOf(quiet.to) + DAY + DAY / 2) % DAY) - DAY / 2;
  const end = guess - off * MINUTE;
  return isQuiet(quiet, end) ? guess : end;
}

function isQuiet({ from, to, zone, days }: QuietHours, at: number): boolean {
  const { minute, day } = localTime(zone, at);
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  const isIn = begin < end ? minute >= begin && minute < end : minute >= begin || minute < end;
  if (!isIn || days === undefined) return isIn;
  // After midnight they are those that began the day before.
  const began = begin > end && minute < end ? (day + 6) % 7 : day;
  return days.includes(DAYS[began]!);
}

function localTime(zone: string, at: number): { readonly minute: number; readonly day: number } {
  const parts = formatOf(zone).formatToParts(at);
  const part = (type: string) => parts.find((each) => each.type === type)!.value;
  return {
    minute: Number(part('hour')) * 60 + Number(part('minute')),
    day: DAYS.indexOf(part('weekday').toLowerCase() as (typeof DAYS)[number]),
  };
}

const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hour: '2-digit',
      minute: '2-digit',
      weekday: 'short',
      hourCycle: 'h23',
    });
    formats.set(zone, format);
  }
  return format;
}

function minutesOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
}

function floorMinute(at: number): number {
  return Math.floor(at / MINUTE) * MINUTE;
}
