import { GlacisError } from '../../../core/error.ts';
import type { ByteSource } from '../../../data/byte-source.ts';
import type { Budget } from '../limits.ts';

/** A value inside parsed JSON, with the way to it. */
export interface JsonNode {
  /** Name in the object or index in the list that it stands in; `''` for the root. */
  readonly key: string | number;
  readonly value: unknown;
  readonly parent: JsonNode | undefined;
}

/** Every value of parsed JSON, the root first. Walks with a list of its own: the nesting is attacker-controlled. */
export function* jsonNodes(root: unknown, budget: Budget): Generator<JsonNode> {
  const open: JsonNode[] = [{ key: '', value: root, parent: undefined }];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    budget.step();
    yield node;
    if (typeof node.value !== 'object' || node.value === null) continue;
    const parent = node;
    const children = Array.isArray(node.value)
      ? node.value.map((value, key) => ({ key, value, parent }))
      : Object.entries(node.value).map(([key, value]) => ({ key, value, parent }));
    for (let i = children.length - 1; i >= 0; i--) open.push(children[i]!);
  }
}

/** The way to a node, e.g. `config.layers[2].class_name`; cut where it is long. */
export function jsonPath(node: JsonNode): string {
  const steps: string[] = [];
  for (let at: JsonNode | undefined = node; at?.parent !== undefined; at = at.parent)
    steps.push(typeof at.key === 'number' ? `[${at.key}]` : `.${at.key}`);
  const path = steps.reverse().join('').replace(/^\./, '');
  return path.length > 200 ? `…${path.slice(-199)}` : path;
}

/** A JSON object, or `undefined` for anything else. */
export function jsonObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

/**
 * The encoding of JSON by where its zeros stand (RFC 4627, section 3): Python's reader takes UTF-16 and UTF-32 as readily as
 * UTF-8, so a configuration could hide there.
 */
function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32' {
  const [a = 1, b = 1, c = 1, d = 1] = bytes;
  if ((a === 0 && b === 0) || (c === 0 && d === 0)) return 'utf-32';
  if ((a === 0xff && b === 0xfe) || b === 0) return 'utf-16le';
  return (a === 0xfe && b === 0xff) || a === 0 ? 'utf-16be' : 'utf-8';
}

/** The beginning of bytes as text in the encoding that JSON would have, without a byte order mark. */
export function jsonBeginning(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes);
  return new TextDecoder(encoding === 'utf-32' ? 'latin1' : encoding).decode(bytes).replaceAll('\0', '');
}

/**
 * Parses bytes as JSON, in the encodings and with the numbers that Python takes (`NaN`, `Infinity`, which become null).
 * Errors: `data/unreadable`.
 */
export function parseJson(bytes: Uint8Array, where: string): unknown {
  const encoding = encodingOf(bytes);
  const fail = (got: string, cause?: unknown) =>
    new GlacisError('data/unreadable', `${where}: expected JSON, got ${got}`, { cause });
  if (encoding === 'utf-32') throw fail('text in UTF-32, which no program writes');
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw fail('bytes that are no text', cause);
  }
  try {
    return JSON.parse(text);
  } catch {
    try {
      return JSON.parse(
        text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g, (t) => (t[0] === '"' ? t : 'null')),
      );
    } catch (cause) {
      throw fail('text that does not parse', cause);
    }
  }
}

/** The whole of a source; refused by the source itself past the limit of one read. */
export function readAll(source: ByteSource): Promise<Uint8Array> {
  return source.read(0, source.size);
}

/**
 * The names that occur twice in one object of a JSON text, which readers disagree about: some take the first, some the last,
 * some refuse. The text must parse.
 */
export function duplicateNames(text: string, budget: Budget): readonly string[] {
  const twice = new Set<string>();
  /** Per open object the names so far; `undefined` for a list. */
  const open: (Set<string> | undefined)[] = [];
  let nameNext = false;
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g)) {
    budget.step();
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
      nameNext = token === '{';
    } else if (token === '}' || token === ']') {
      open.pop();
      nameNext = false;
    } else if (token === ',') nameNext = open.at(-1) !== undefined;
    else if (nameNext) {
      const names = open.at(-1)!;
      const name = JSON.parse(token) as string;
      if (names.has(name)) twice.add(name);
      names.add(name);
      nameNext = false;
    }
  }
  return [...twice];
}
