export interface Skip {
  readonly file: string;
  readonly test: string;
}
export interface AllowedSkip {
  readonly file: string;
  readonly test?: string;
  readonly reason: string;
}
/** Passed, failed and skipped tests of vitest's JSON report; what is not plainly a pass counts as failed. */
export function countTests(
  report: unknown,
  exitCode: number,
  root: string,
): { passed: number; failed: number; skips: Skip[] };
/** The skips that no entry allows. */
export function unlistedSkips(skips: readonly Skip[], allowed: readonly AllowedSkip[]): Skip[];

/** The failed tests of vitest's JSON report, each in a line. */
export function failedTests(report: unknown, root: string): string[];

/** The test files whose process V8 ended on its own check of pages of compiled code, and no others. */
export function endedByV8(output: string, root: string): string[];
