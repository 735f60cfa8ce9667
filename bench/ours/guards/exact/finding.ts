import type { GuardedInput, InputGuard } from '../../../../src/gateway/guard.ts';
import { line } from '../../lines.ts';

/** What a guard did with inputs of one kind; one number for each of its settings, `null` where it has none. */
export interface Finding {
  readonly guard: string;
  readonly subject: string;
  /** `calm`: false alarms; `accident`: nobody's attack; `attacked`: by someone who does not know the guard; `adaptive`: by someone who does. */
  readonly kind: 'calm' | 'accident' | 'attacked' | 'adaptive';
  readonly name: string;
  readonly settings: readonly string[];
  /** Inputs that were made. */
  readonly n: readonly (number | null)[];
  /** Of these, how many change the network's answer; where nobody counted, all are looked at. */
  readonly fooled?: readonly (number | null)[];
  /** Refused of those that change the answer; of all where nobody counted them, or where `passed` is given. */
  readonly refused: readonly (number | null)[];
  /** Those that change the answer and are not refused. */
  readonly passed?: readonly (number | null)[];
}

/** Prints a finding. */
export const tell = (finding: Finding): void => line('exact', { ...finding });

/** How many of the calls a guard does not let pass. */
export async function refusedOf(guard: InputGuard, calls: Iterable<GuardedInput>): Promise<number> {
  let refused = 0;
  for (const call of calls) if ((await guard.judge(call)).action !== 'pass') refused++;
  return refused;
}
