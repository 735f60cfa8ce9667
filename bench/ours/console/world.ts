/** What lies behind the pages: frozen, so that figures of two days can be compared. */
export const CLIENTS = 100_000;
/** Days over which the decisions are spread. */
export const DAYS = 30;
export const MODELS = ['signs', 'digits', 'loans'] as const;
export const CASES = 5000;
export const ALARMS_EACH = 20;
export const REVIEWS = 20_000;
export const MINUTE = 60_000;
export const DAY = 86_400_000;

/** The client of a decision: a tenth of the calls are of a hundred busy ones, the rest of all in turn. */
export function clientOf(i: number): number {
  return i % 10 === 0 ? (i / 10) % 100 : (i * 7919) % CLIENTS;
}

/** The same in SQL, of the column `i`. */
export const CLIENT_SQL = `case when i % 10 = 0 then (i / 10) % 100 else (i * 7919) % ${CLIENTS} end`;

/** How a decision ended: one in 1,000 was throttled, one in 100,000 held. */
export function outcomeOf(i: number): 'answered' | 'throttled' | 'held' {
  if (i % 100_000 === 7) return 'held';
  return i % 1000 === 3 ? 'throttled' : 'answered';
}

/** The model of a decision: the third one is asked rarely. */
export function modelOf(i: number): (typeof MODELS)[number] {
  return i % 5000 === 11 ? MODELS[2] : MODELS[i % 2]!;
}

export const tenantOf = (client: number): string => `tenant-${client % 500}`;
export const digestOf = (model: string): string =>
  `sha256:${Buffer.from(model.padEnd(32, '.')).toString('hex')}`;
export const idOf = (i: number): string => i.toString(16).padStart(13, '0').padEnd(32, '0');
