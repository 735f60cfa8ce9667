import { type State, stateFromBytes, stateToBytes } from '../../detect/state-bytes.ts';
import { keepNamedRows, namedRows, type Rows } from './rows.ts';

const stateKind = (name: string) => `drift/1 ${name}`;

/** What a monitor that compares windows remembers. */
export interface Remembered {
  readonly plain: {
    readonly series: unknown;
    readonly said: readonly (readonly [string, number])[];
    readonly duration: number;
    readonly seen: number;
    readonly learning: number;
  };
  readonly reference: Rows | undefined;
  readonly window: Rows | undefined;
  readonly learning: Rows | undefined;
  readonly trails: Rows | undefined;
}

/** Writes one. `plain` is plain JSON; `origin` says which reference it belongs to. */
export function writeWindowed(
  name: string,
  origin: string,
  plain: Readonly<Record<string, unknown>>,
  rows: Readonly<Record<Exclude<keyof Remembered, 'plain'>, Rows | undefined>>,
): Uint8Array {
  const kept = keepNamedRows(Object.entries(rows));
  return stateToBytes({
    kind: stateKind(name),
    plain: { ...plain, origin, rows: kept.plain },
    arrays: kept.arrays,
  });
}

/** Reads a snapshot, if it is of this monitor, of the same reference and whole. */
export function readWindowed(
  name: string,
  bytes: Uint8Array | undefined,
  origin: string,
  width: number,
): Remembered | undefined {
  if (bytes === undefined) return undefined;
  let state: State;
  try {
    state = stateFromBytes(stateKind(name), bytes);
  } catch {
    return undefined;
  }
  const plain = (state.plain ?? {}) as Record<string, unknown>;
  if (plain.origin !== origin) return undefined;
  const part = (which: string): Rows | undefined => namedRows(plain.rows, state.arrays, which, width);
  const whole = (value: unknown) =>
    typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;
  const said = Array.isArray(plain.said)
    ? plain.said
        .filter(
          (s): s is [string, number] => Array.isArray(s) && typeof s[0] === 'string' && Number.isFinite(s[1]),
        )
        .slice(0, 512)
    : [];
  return {
    plain: {
      series: plain.series,
      said,
      duration: whole(plain.duration),
      seen: whole(plain.seen),
      learning: whole(plain.learning),
    },
    reference: part('reference'),
    window: part('window'),
    learning: part('learning'),
    trails: part('trails'),
  };
}
