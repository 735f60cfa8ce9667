import type { ResultNorm } from '../assess/result.ts';
import { radius } from '../threat/norm.ts';

/** Keeps a number and its unit on one line. */
const NBSP = '\u00a0';

/**
 * A fraction as a percentage with one decimal. "0.0 %" and "100.0 %" would claim too much for what is nearly so:
 * only an exact 0 or 1 is written as "0 %" or "100 %".
 */
export function percent(fraction: number): string {
  if (fraction === 0) return `0${NBSP}%`;
  if (fraction === 1) return `100${NBSP}%`;
  return `${Math.min(99.9, Math.max(0.1, fraction * 100)).toFixed(1)}${NBSP}%`;
}

/** An interval of fractions, e.g. "64.4–70.2 %". */
export function interval([low, high]: readonly [number, number]): string {
  return `${(low * 100).toFixed(1)}–${(high * 100).toFixed(1)}${NBSP}%`;
}

/** A whole number with commas, e.g. "1,000". */
export function count(n: number): string {
  return n.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** "1 sample", "2 samples". */
export function counted(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}

/** Names of the norms. */
export const NORM_NAMES: Readonly<Record<ResultNorm, string>> = {
  linf: 'Linf',
  l2: 'L2',
  l1: 'L1',
  l0: 'L0',
  spatial: 'spatial',
  semantic: 'semantic',
  composite: 'semantic + Linf',
  patch: 'patch',
  wasserstein: 'Wasserstein',
};

/** What a budget allows, in plain words. */
export function budgetInWords(norm: ResultNorm, eps: number): string {
  const e = radius(eps);
  const words: Readonly<Record<ResultNorm, string>> = {
    linf: `every input value may move by at most ${e}`,
    l2: `the change as a whole may have a Euclidean length of at most ${e}`,
    l1: `the changes of all input values may add up to at most ${e}`,
    l0: `at most ${e} input values may change, by any amount`,
    spatial: `the picture may be turned by up to ${e}° and shifted`,
    semantic: 'hue, saturation, brightness and contrast may change, and the picture may be turned',
    composite: 'colours, light and angle may change, and then every input value a little',
    patch: `a patch may cover up to ${percent(eps)} of the picture`,
    wasserstein: `brightness may move to near pixels, by ${e} pixels on average at most`,
  };
  return words[norm];
}

/** A time span, e.g. "0.12 s", "4.8 s", "2 min 5 s", "1 h 3 min". */
export function duration(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2)}${NBSP}s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)}${NBSP}s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}${NBSP}min ${whole % 60}${NBSP}s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)}${NBSP}h ${minutes % 60}${NBSP}min`;
}

/** A point in time from ISO 8601, e.g. "21 November 2026, 08:00 UTC". */
export function moment(iso: string): string {
  const date = new Date(iso);
  const day = date.toLocaleDateString('en-GB', {
    timeZone: 'UTC',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });
  return `${day}, ${date.toISOString().slice(11, 16)} UTC`;
}

/** Options of an attack as the command line takes them, e.g. "steps=40, restarts=1". */
export function optionList(options: Readonly<Record<string, unknown>>): string {
  const written = (value: unknown) =>
    typeof value === 'number' ? String(Number(value.toPrecision(6))) : JSON.stringify(value);
  return Object.entries(options)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : written(value)}`)
    .join(', ');
}

export { radius };
