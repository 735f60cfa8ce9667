/** Whether what was seen looks like somebody's doing or like the world's. `fault`: a part of the system itself. */
export const ALARM_KINDS = ['attack', 'drift', 'fault'] as const;

/** One of {@link ALARM_KINDS}. */
export type AlarmKind = (typeof ALARM_KINDS)[number];

/** How bad, the worst first. */
export const ALARM_SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;

/** One of {@link ALARM_SEVERITIES}. */
export type AlarmSeverity = (typeof ALARM_SEVERITIES)[number];

/** A monitor's word that something is wrong. Plain data: it is stored, sent and shown. Strings of callers in it are as they came: whoever shows them escapes them. */
export interface Alarm {
  /** 128 random bits, hexadecimal. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `extraction`, `near-duplicates`, `input-drift` … */
  readonly monitor: string;
  readonly kind: AlarmKind;
  readonly severity: AlarmSeverity;
  readonly model: string;
  readonly version?: string | undefined;
  readonly digest?: string | undefined;
  /** Whom it is about, the most suspicious first, 32 at most; empty where it is nobody's doing. */
  readonly principals: readonly string[];
  /** What it is about, the same for every alarm about the same thing: cases are formed by it. */
  readonly subject: string;
  /** One line: `acme is copying signs`. */
  readonly title: string;
  /** Why, in sentences with figures, for the person on duty; also why it looks like an attack and not like drift, or the other way round. */
  readonly why: string;
  readonly score: number;
  readonly threshold: number;
  /** The first and the last query that it rests on, milliseconds since 1970. */
  readonly first: number;
  readonly last: number;
  /** Queries (samples) that it rests on. */
  readonly queries: number;
  /** Ids of decisions that show it, 64 at most, the most telling first. */
  readonly decisions: readonly string[];
  /** Ids of MITRE ATLAS. */
  readonly atlas: readonly string[];
  /** Figures behind it, by name: per-feature p-values, rates … */
  readonly figures: Readonly<Record<string, number | string | readonly number[] | readonly string[]>>;
}
