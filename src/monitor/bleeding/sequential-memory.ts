import { type State, stateFromBytes, stateToBytes } from '../../detect/state-bytes.ts';
import { keepNamedRows, namedRows, type Rows } from '../drift/rows.ts';

const stateKind = (name: string) => `mean/1 ${name}`;

/** What a monitor of means remembers. */
export interface SequentialMemory {
  /** Of each stream, as it keeps itself. */
  readonly streams: Readonly<Record<string, unknown>>;
  readonly callers: readonly (readonly [string, number])[];
  readonly said: readonly (readonly [string, number])[];
  readonly source: unknown;
  readonly sourceBytes: Uint8Array | undefined;
  readonly trails: (stream: string) => Rows | undefined;
}

/** Writes one: `plain` is plain JSON, `trails` rows of a width of 1 by stream, `source` what the source of numbers keeps as bytes. */
export function writeSequential(
  name: string,
  plain: Readonly<Record<'streams' | 'callers' | 'said' | 'source', unknown>>,
  trails: readonly (readonly [stream: string, rows: Rows | undefined])[],
  source: Uint8Array | undefined,
): Uint8Array {
  const kept = keepNamedRows(trails);
  return stateToBytes({
    kind: stateKind(name),
    plain: { ...plain, trails: kept.plain },
    arrays: { ...kept.arrays, ...(source && { source }) },
  });
}

/** Reads a snapshot; nothing is remembered where it is of another monitor or damaged. `callers`: of how many at most. */
export function readSequentialMemory(
  name: string,
  bytes: Uint8Array | undefined,
  callers: number,
): SequentialMemory {
  const none: SequentialMemory = {
    ...{ streams: {}, callers: [], said: [] },
    ...{ source: undefined, sourceBytes: undefined },
    trails: () => undefined,
  };
  if (bytes === undefined) return none;
  let state: State;
  try {
    state = stateFromBytes(stateKind(name), bytes);
  } catch {
    return none;
  }
  const plain = (state.plain ?? {}) as Record<string, unknown>;
  const { streams } = plain;
  return {
    streams: typeof streams === 'object' && streams !== null ? { ...streams } : {},
    callers: pairs(plain.callers, callers),
    said: pairs(plain.said, 256),
    source: plain.source ?? undefined,
    sourceBytes: state.arrays.source instanceof Uint8Array ? state.arrays.source : undefined,
    trails: (stream) => namedRows(plain.trails, state.arrays, stream, 1),
  };
}

function pairs(given: unknown, most: number): readonly (readonly [string, number])[] {
  if (!Array.isArray(given)) return [];
  return given
    .filter(
      (p): p is [string, number] =>
        Array.isArray(p) && typeof p[0] === 'string' && Number.isFinite(p[1]) && p[1] >= 0,
    )
    .slice(0, most);
}
