import { plainText } from './text.tsx';

/** Keeps a number and its unit on one line. */
const NBSP = '\u00a0';

/** A whole number with commas: `1,000`. */
export function count(n: number): string {
  return Number.isFinite(n) ? n.toLocaleString('en-US', { maximumFractionDigits: 0 }) : '–';
}

/** A number in four characters or so: `847`, `12.4 k`, `3.1 M`. The whole one belongs into a title. */
export function short(n: number): string {
  if (!Number.isFinite(n)) return '–';
  const size = Math.abs(n);
  for (const [from, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e4, 'k'],
  ] as const) {
    if (size < from) continue;
    const value = n / (unit === 'k' ? 1e3 : from);
    return `${value.toFixed(Math.abs(value) < 100 ? 1 : 0).replace('.0', '')}${NBSP}${unit}`;
  }
  return size >= 100 || Number.isInteger(n) ? count(n) : n.toFixed(1);
}

/** `1 case`, `2 cases`. */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${count(n)} ${n === 1 ? noun : plural}`;
}

/** A fraction as a percentage; only an exact 0 or 1 is `0 %` or `100 %`. */
export function percent(fraction: number): string {
  if (!Number.isFinite(fraction)) return '–';
  if (fraction === 0) return `0${NBSP}%`;
  if (fraction === 1) return `100${NBSP}%`;
  const value = fraction * 100;
  if (value > 99.9 && value < 100) return `99.9${NBSP}%`;
  if (value > 0 && value < 0.1) return `< 0.1${NBSP}%`;
  return `${value.toFixed(1)}${NBSP}%`;
}

/** The same in a sentence, where the last digit means nothing: `5 %` and not `5.0 %`. */
export function share(fraction: number): string {
  return percent(fraction).replace('.0', '');
}

/** What a model gave a class: a share where it is one, else the figure itself, as of a model that answers logits. */
export function score(value: number): string {
  return value >= 0 && value <= 1 ? percent(value) : figure(value);
}

/** A score with three significant digits: `0.0123`, `4.56e-9`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1000) return short(value);
  return size < 1e-4 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

/** Milliseconds as a person says them: `0.4 ms`, `12 ms`, `3.2 s`, `4 min`, `2 h`, `3 days`. */
export function span(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (!Number.isFinite(ms)) return '–';
  if (ms < 10) return `${Number(ms.toPrecision(2))}${NBSP}ms`;
  if (ms < 1000) return `${Math.round(ms)}${NBSP}ms`;
  if (ms < 60_000) return `${ms < 10_000 ? Number((ms / 1000).toFixed(1)) : Math.round(ms / 1000)}${NBSP}s`;
  if (ms < 3_600_000) {
    const seconds = Math.round((ms % 60_000) / 1000);
    const minutes = Math.floor(ms / 60_000);
    return minutes < 10 && seconds > 0 && seconds < 60
      ? `${minutes}${NBSP}min ${seconds}${NBSP}s`
      : `${Math.round(ms / 60_000)}${NBSP}min`;
  }
  if (ms < 48 * 3_600_000) {
    const hours = ms / 3_600_000;
    return `${hours < 10 ? Number(hours.toFixed(1)) : Math.round(hours)}${NBSP}h`;
  }
  return `${Math.round(ms / 86_400_000)}${NBSP}days`;
}

/** How long ago, or in how long: `now`, `12 s ago`, `in 3 min`. */
export function relative(at: number, now: number): string {
  const away = now - at;
  if (Math.abs(away) < 2000) return 'now';
  // Rounded first: nobody needs the seconds of what was minutes ago.
  const size = Math.abs(away);
  const unit = size < 60_000 ? 1000 : size < 3_600_000 ? 60_000 : size < 172_800_000 ? 3_600_000 : 86_400_000;
  const words = span(Math.round(size / unit) * unit);
  return away > 0 ? `${words} ago` : `in ${words}`;
}

/** A point in time in the reader's own zone, to the second. */
export function exact(at: number): string {
  if (!isTime(at)) return 'unknown time';
  return new Date(at).toLocaleString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
}

/** Hours and minutes in the reader's own zone; with the day where it is another one. */
export function clock(at: number, now: number): string {
  if (!isTime(at)) return '–';
  const time = new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (new Date(at).toDateString() === new Date(now).toDateString()) return time;
  return `${new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}, ${time}`;
}

/** Bytes: `840 B`, `1.2 MB`. */
export function bytes(n: number): string {
  if (n < 1000) return `${n}${NBSP}B`;
  if (n < 1e6) return `${(n / 1e3).toFixed(1)}${NBSP}kB`;
  return n < 1e9 ? `${(n / 1e6).toFixed(1)}${NBSP}MB` : `${(n / 1e9).toFixed(1)}${NBSP}GB`;
}

/** A name of the program as a person writes it: `near-duplicates` → `near duplicates`, `shareOfRows` → `share of rows`. */
export function worded(name: string): string {
  return plainText(name)
    .replaceAll('-', ' ')
    .replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** A class by its name, or by its number where it has none. */
export function className(names: readonly string[] | undefined, label: number): string {
  return plainText(names?.[label] ?? `class ${label}`);
}

/** A sentence that ends as one. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** The same with a capital first. */
export function titled(name: string): string {
  const words = worded(name);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** How much one figure is more than another: `+12 %`, `−8 %`, `the same`; undefined where there is nothing to hold it against. */
export function change(now: number, before: number): string | undefined {
  if (before === 0 || !Number.isFinite(now / before)) return undefined;
  const part = now / before - 1;
  if (Math.abs(part) < 0.005) return 'the same';
  if (part > 9) return `×${NBSP}${Math.round(part + 1)}`;
  return `${part > 0 ? '+' : '−'}${Math.abs(part * 100).toFixed(Math.abs(part) < 0.095 ? 1 : 0)}${NBSP}%`;
}

function isTime(at: number): boolean {
  return Number.isFinite(at) && Math.abs(at) < 8.64e15;
}
