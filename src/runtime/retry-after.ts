/**
 * The wait in milliseconds that a `Retry-After` header asks for: seconds, or an HTTP date (RFC 9110, 10.2.3), counted from the answer's
 * own `Date` where it has one, because clocks differ. `undefined` without a header that can be read.
 */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const until = httpDate(value);
  if (until === undefined) return undefined;
  return Math.max(0, until - (httpDate(headers.get('date') ?? '') ?? now));
}

/** Only dates that name GMT: others would be read in this machine's time zone. */
function httpDate(text: string): number | undefined {
  const time = / GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
