/** Nothing is promoted: what whoever loads models must know of it. */
export interface Freeze {
  /** The measure's id. */
  readonly order: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly because: string;
  /** Digests that were in service when it was ordered, by the name under which they are served. */
  readonly served: Readonly<Record<string, readonly string[]>>;
}
