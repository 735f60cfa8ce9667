import type { GlacisError } from '../../core/error.ts';

/** JSON of an unknown shape. */
export type Fields = Readonly<Record<string, unknown>>;

/** Makes the error for a field that is not what it should be. */
export type Refuse = (problem: string) => GlacisError;

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object in the field `name`. */
export function objectAt(json: Fields, name: string, refuse: Refuse): Fields {
  const value = json[name];
  if (!isObject(value)) throw refuse(`${name}: expected an object, got ${kindOf(value)}`);
  return value;
}

/** The list in the field `name`. */
export function listAt(json: Fields, name: string, refuse: Refuse): readonly unknown[] {
  const value = json[name];
  if (!Array.isArray(value)) throw refuse(`${name}: expected a list, got ${kindOf(value)}`);
  return value;
}

/** The text in the field `name`. */
export function textAt(json: Fields, name: string, refuse: Refuse): string {
  const value = json[name];
  if (typeof value !== 'string') throw refuse(`${name}: expected a text, got ${kindOf(value)}`);
  return value;
}

/** The bytes that the field `name` holds in base64, with the standard alphabet or the one for addresses. */
export function base64At(json: Fields, name: string, refuse: Refuse): Uint8Array {
  const text = textAt(json, name, refuse);
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw refuse(`${name}: expected base64, got other characters`);
  return Buffer.from(text, 'base64');
}

/** What a JSON value is, in words. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
