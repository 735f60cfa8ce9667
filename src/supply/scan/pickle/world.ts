import type { Bytes, GlobalName, Value } from './value.ts';

/** How a value was made of a callable. */
export type CallBy = 'REDUCE' | 'NEWOBJ' | 'NEWOBJ_EX' | 'INST' | 'OBJ';

/** How something was filled that is no plain container. */
export type FillBy = 'BUILD' | 'SETITEMS' | 'APPENDS' | 'ADDITEMS';

/**
 * What the machine asks and tells while it runs: everything that would reach outside the stream if the pickle were loaded.
 * `at` is the byte of the opcode.
 */
export interface World {
  /** A name is imported. Gives what stands for it. `protocol` decides how old names are mapped. */
  global(module: string, name: string, protocol: number, at: number): Value;
  /** Something is called; gives what stands for the result. */
  call(callee: Value, args: Value, kwargs: Value | undefined, by: CallBy, at: number): Value;
  /** Something is filled that is neither list, dict nor set, or BUILD is applied. */
  fill(target: Value, by: FillBy, content: Value | undefined, at: number): void;
  /** A persistent id is looked up. */
  persistent(id: Value, at: number): Value;
  /** An entry of the extension registry is looked up. */
  extension(code: number, at: number): Value;
  /** Bytes lie in the stream. */
  bytes(value: Bytes): void;
  /** The stream does something that no pickler writes. */
  odd(what: string, at: number): void;
  /** An opcode or its argument lies across the end of a frame. */
  straddles(what: string, at: number): void;
  /** A tuple holds so many values, counted as often as they are reached, that hashing or copying it does not end. */
  unfolds(weight: number, at: number): void;
  /** A guarded name is put where something else may call it. */
  escapes(name: GlobalName, at: number): void;
}

/** Whether a name begins and ends with two underscores. */
export function isDunder(name: string): boolean {
  // The first letter decides for nearly every name of a large vocabulary.
  return name.charCodeAt(0) === 0x5f && name.length > 4 && name.startsWith('__') && name.endsWith('__');
}
