const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** Longer than any timer of ours, and than any answer takes. */
const LONGEST = 86_400_000;

/** A `grpc-timeout` in milliseconds, at most a day; undefined where the text is none. Source: gRPC over HTTP/2, “Timeout”. */
export function timeoutFrom(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  return Math.min(LONGEST, Number(digits) * UNITS[unit]!);
}
