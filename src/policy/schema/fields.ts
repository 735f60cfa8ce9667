import { z } from 'zod';

/** Milliseconds of a day. */
export const DAY = 86_400_000;
const UNITS = { hour: DAY / 24, day: DAY, week: 7 * DAY } as const;

/** A digest of bytes. */
export const digest = z
  .string({ error: 'a digest such as sha256:9f86d0… (64 hexadecimal digits)' })
  .regex(/^sha256:[0-9a-f]{64}$/, { error: 'a digest such as sha256:9f86d0… (64 hexadecimal digits)' });

/** What people write in a policy as a name of their own: `release`, `small-change`. */
export const ownName = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, {
  error: 'a name of letters, digits, ".", "_" and "-" that begins with a letter, at most 64 characters',
});

/** A text that says something, on one line. */
export const words = z
  .string()
  .regex(/^(?=.*\S)[^\p{Cc}]{1,500}$/u, { error: 'a text of 1 to 500 characters on one line' });

/** A name with `*` for any characters and `?` for one. */
export const pattern = z
  .string()
  .regex(/^[^\p{Cc}]{1,200}$/u, { error: 'a name, in which * stands for any characters and ? for one' });

/** A share. */
export const fraction = z
  .number({ error: 'a number between 0 and 1' })
  .min(0, { error: 'a number between 0 and 1' })
  .max(1, { error: 'a number between 0 and 1' });

/** A whole number of 1 or more. */
export const positive = z
  .int({ error: 'a whole number of 1 or more' })
  .min(1, { error: 'a whole number of 1 or more' })
  .max(1e15, { error: 'a whole number of 1 or more' });

const SIZE = 'a number above 0, or a fraction such as 8/255';

/** A size above 0, as a number or as a fraction such as `8/255`; read as a number. */
export const size = z
  .union([z.number(), z.string().regex(/^\d+(?:\.\d+)?\s*\/\s*\d+(?:\.\d+)?$/, { error: SIZE })], {
    error: SIZE,
  })
  .transform((given) => {
    if (typeof given === 'number') return given;
    const [above, below] = given.split('/').map(Number);
    return above! / below!;
  })
  .refine((value) => Number.isFinite(value) && value > 0, {
    error: SIZE,
  });

/** A number above 0. */
export const above0 = z.number({ error: 'a number above 0' }).gt(0, { error: 'a number above 0' });

const LENGTH = 'a length of time such as 90 days, 12 hours or 2 weeks, or "any age"';

/** A length of time, `90 days`, `12 hours`, `2 weeks` or `any age`; read as milliseconds. */
export const duration = z
  .string({ error: LENGTH })
  .regex(/^(?:[1-9]\d{0,4} ?(?:hours?|days?|weeks?)|any age)$/, { error: LENGTH })
  .transform((text) => {
    const [, count, unit] = /^(\d+) ?(hour|day|week)/.exec(text) ?? [];
    return count === undefined ? Number.POSITIVE_INFINITY : Number(count) * UNITS[unit as keyof typeof UNITS];
  });

/** A day, `2027-01-31`; read as the last millisecond of it, UTC. */
export const lastDay = z
  .string({ error: 'a day such as 2027-01-31' })
  .regex(/^\d{4}-\d{2}-\d{2}$/, { error: 'a day such as 2027-01-31' })
  .transform((text) => ({ text, end: Date.parse(`${text}T23:59:59.999Z`) }))
  .refine(({ text, end }) => Number.isFinite(end) && new Date(end).toISOString().startsWith(text), {
    error: 'a day of the calendar such as 2027-01-31',
  });

/** A list that is not empty and not longer than any sensible one; no entry twice. */
export function several<T extends z.ZodType>(item: T) {
  return z
    .array(item, { error: 'a list' })
    .min(1, { error: 'a list of at least one entry' })
    .max(100, { error: 'a list of at most 100 entries' })
    .refine((all) => new Set(all.map((each) => JSON.stringify(each))).size === all.length, {
      error: 'a list without an entry twice',
    });
}

const BYTES = 'a size such as 512 MiB, 4 GiB or 500 MB, or a number of bytes';
const BYTE_UNITS = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** A size in bytes, `4 GiB` or a number; read as a number. */
export const byteSize = z
  .union([z.int().min(1), z.string().regex(/^[1-9]\d{0,6} ?[KMGT]i?B$/, { error: BYTES })], { error: BYTES })
  .transform((given) => {
    if (typeof given === 'number') return given;
    const [, count, unit] = /^(\d+) ?(\w+)$/.exec(given)!;
    return Number(count) * BYTE_UNITS[unit as keyof typeof BYTE_UNITS];
  });
