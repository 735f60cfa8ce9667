import { isUtf8 } from 'node:buffer';
import { quoted } from '../onnx/problems.ts';
import { fault, kindOf, type Source } from './fault.ts';
import { checkOutline } from './json-outline.ts';

/** A parsed JSON object: attacker-controlled, so that only own properties count. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Values that the protocol allows in `parameters`. */
export type Parameter = string | number | boolean;

/** Extra key-value pairs of a message or tensor. */
export type Parameters = Readonly<Record<string, Parameter>>;

/** Bytes of JSON beyond which a message is refused: its tensors belong into the binary part. */
const MAX_JSON_BYTES = 2 ** 28;
/** Shorter texts cannot hold enough to matter. */
const OUTLINED_FROM = 65_536;
const MAX_NAME = 1024;
const MAX_PARAMETERS = 256;
const MAX_PARAMETER_TEXT = 65_536;

/** The JSON value that `bytes` write in UTF-8, without a byte order mark. */
export function parseJson(bytes: Uint8Array, source: Source): unknown {
  if (bytes.length > MAX_JSON_BYTES)
    throw fault(source, '', `at most ${MAX_JSON_BYTES} bytes of JSON`, `${bytes.length}`);
  if (bytes.length > OUTLINED_FROM) checkOutline(bytes, source);
  if (!isUtf8(bytes)) throw fault(source, '', 'JSON', `${bytes.length} bytes that are not UTF-8`);
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  } catch {
    // Not as the cause: the parser's message quotes the text.
    throw fault(source, '', 'JSON', `${bytes.length} bytes that are not`);
  }
}

/** `value` as an object. */
export function objectFrom(value: unknown, source: Source, place: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fault(source, place, 'an object', kindOf(value));
  return value as JsonObject;
}

/** The object's own property; `undefined` where there is none, or null. */
export function field(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? (object[key] ?? undefined) : undefined;
}

/** `value` as a list of at most `most`. */
export function listFrom(value: unknown, source: Source, place: string, most: number): readonly unknown[] {
  if (!Array.isArray(value)) throw fault(source, place, 'a list', kindOf(value));
  if (value.length > most) throw fault(source, place, `a list of at most ${most}`, `${value.length}`);
  return value;
}

/** `value` as a name: text of at most 1024 characters that are not control characters. */
export function nameFrom(value: unknown, source: Source, place: string): string {
  if (typeof value !== 'string') throw fault(source, place, 'text', kindOf(value));
  if (value.length > MAX_NAME)
    throw fault(source, place, `at most ${MAX_NAME} characters`, `${value.length}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
  if (!value.isWellFormed() || /[\0-\x1f\x7f]/.test(value))
    throw fault(source, place, 'text without control characters', quoted(value));
  return value;
}

/** The object's `parameters`: text, finite numbers and booleans by name. */
export function parametersFrom(object: JsonObject, source: Source, place: string): Parameters {
  const value = field(object, 'parameters');
  if (value === undefined) return {};
  const given = objectFrom(value, source, `${place}parameters`);
  const keys = Object.keys(given);
  if (keys.length > MAX_PARAMETERS)
    throw fault(source, `${place}parameters`, `at most ${MAX_PARAMETERS}`, `${keys.length}`);
  return Object.fromEntries(
    keys.map((key) => {
      const name = nameFrom(key, source, `${place}parameters`);
      return [name, parameterFrom(given[key], source, `${place}parameters ${quoted(name)}`)];
    }),
  );
}

function parameterFrom(value: unknown, source: Source, place: string): Parameter {
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
  if (typeof value === 'string' && value.length <= MAX_PARAMETER_TEXT && value.isWellFormed()) return value;
  throw fault(source, place, 'text, a finite number or a boolean', kindOf(value));
}

/** Takes `key` out of parameters: its value, and the others. */
export function takeParameter(
  parameters: Parameters,
  key: string,
): { readonly value: Parameter | undefined; readonly rest: Parameters } {
  if (!Object.hasOwn(parameters, key)) return { value: undefined, rest: parameters };
  return {
    value: parameters[key],
    rest: Object.fromEntries(Object.entries(parameters).filter(([name]) => name !== key)),
  };
}
