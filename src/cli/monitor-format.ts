import { readFile } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { readMapping } from '../monitor/past/foreign/mapping.ts';
import { FORMATS, type ForeignFormat, type LineFormat } from '../monitor/past/foreign/past-from-foreign.ts';
import type { Given } from './args.ts';

/** Headers that hold what proves who somebody is: no name for a report. */
const SECRET = /^(?:proxy-)?authorization$|^(?:set-)?cookie$|^(?:x-)?api-?key$/i;

/** How the arguments say that another server's log is read. */
export interface Foreign {
  readonly format: ForeignFormat | LineFormat;
  /** Which attribute or header names who called. */
  readonly caller: string | undefined;
  /** When the machine of a trace was started, in milliseconds since 1970. */
  readonly booted: number | undefined;
}

/** The format that the arguments name, and what belongs to it; undefined where lines have our own fields. Errors: `option/invalid`, `data/unreadable`, `policy/invalid` for a mapping that is none. */
export async function foreignFrom(given: Given): Promise<Foreign | undefined> {
  const format = await formatFrom(given);
  const [caller, booted] = [given.text('caller-attribute'), given.time('booted')];
  if (caller !== undefined && format !== 'kserve-cloudevents')
    throw only('caller-attribute', 'kserve-cloudevents');
  if (booted !== undefined && format !== 'triton-trace') throw only('booted', 'triton-trace');
  if (caller !== undefined && !/^[\w-]{1,64}$/.test(caller))
    throw new GlacisError(
      'option/invalid',
      `--caller-attribute: expected a name of letters, digits and dashes, got '${caller}'`,
    );
  if (caller !== undefined && SECRET.test(caller))
    throw new GlacisError(
      'option/invalid',
      `--caller-attribute: expected an attribute or header that names a caller, got ${caller}, which holds a secret; have the proxy add one with the name`,
    );
  return format === undefined ? undefined : { format, caller, booted };
}

/** What to say of the times of what was read; undefined where they are what they seem. */
export function timeRemark(given: Given): string | undefined {
  if (given.text('format') !== 'triton-trace' || given.text('booted') !== undefined) return undefined;
  return "Times of a trace count from its machine's start, shown as if that had been at the beginning of 1970: --booted says when it was.";
}

async function formatFrom(given: Given): Promise<Foreign['format'] | undefined> {
  const named = given.text('format');
  if (named === undefined) return undefined;
  const known = FORMATS.find((each) => each === named);
  if (known !== undefined) return known;
  if (!/\.ya?ml$/i.test(named))
    throw new GlacisError(
      'option/invalid',
      `--format: expected ${FORMATS.join(', ')} or a mapping .yaml, got '${named}'`,
    );
  const text = await readFile(named, 'utf8').catch((thrown) => {
    throw asGlacisError(thrown, 'data/unreadable', named);
  });
  return readMapping(text, named);
}

function only(option: string, format: ForeignFormat): GlacisError {
  return new GlacisError(
    'option/invalid',
    `--${option}: expected --format ${format} with it, got another format or none`,
  );
}
