import { GlacisError } from '../../core/error.ts';
import type { TimingAnalysis } from './judge.ts';

const SCHEMA = 'glacis.timing/1';

/** What was measured and what it says. */
export interface TimingResult {
  readonly schema: typeof SCHEMA;
  /** Without credentials. */
  readonly url: string;
  readonly a: string;
  readonly b: string;
  /** The address of class b, where it is another. */
  readonly urlB?: string | undefined;
  /** ISO 8601. */
  readonly at: string;
  readonly seed: number;
  /** Most questions a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Questions that had to be asked again. */
  readonly failures: number;
  readonly analysis: TimingAnalysis;
  readonly notes: readonly string[];
  readonly command: string;
}

/** As it is written. */
export function timingToJson(result: TimingResult): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}

/** Reads an earlier result, for a comparison. Errors: `result/invalid`. */
export function timingFromJson(text: string, where: string): TimingResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new GlacisError('result/invalid', `${where}: expected JSON, got something else`, { cause });
  }
  const result = value as Partial<TimingResult> | null;
  const analysis = result?.analysis;
  const numbers = [
    analysis?.pairs,
    analysis?.difference,
    analysis?.strongest?.t,
    analysis?.information?.bits,
    analysis?.guessing?.auc,
    analysis?.a?.p50,
    analysis?.b?.p50,
  ];
  if (result?.schema !== SCHEMA || numbers.some((number) => typeof number !== 'number'))
    throw new GlacisError(
      'result/invalid',
      `${where}: expected a result of glacis attack timing (${SCHEMA}), got another`,
    );
  return value as TimingResult;
}
export { SCHEMA as TIMING_SCHEMA };
