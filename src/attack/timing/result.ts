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
    analysis?.needed,
    ...[analysis?.a, analysis?.b].flatMap((latency) => [latency?.p50, latency?.p99]),
    analysis?.strongest?.t,
    ...[analysis?.ranks?.z, analysis?.ranks?.p],
    ...[analysis?.information, analysis?.lengths, analysis?.statuses].flatMap((each) => [
      each?.bits,
      each?.p,
    ]),
    ...[
      analysis?.guessing?.auc,
      analysis?.guessing?.accuracy,
      ...[0, 1].map((i) => analysis?.guessing?.interval?.[i]),
    ],
  ];
  const isOne =
    result?.schema === SCHEMA &&
    numbers.every((number) => typeof number === 'number') &&
    typeof analysis?.strongest?.of === 'string';
  if (!isOne)
    throw new GlacisError(
      'result/invalid',
      `${where}: expected a result of glacis attack timing (${SCHEMA}), got another`,
    );
  return value as TimingResult;
}
export { SCHEMA as TIMING_SCHEMA };
