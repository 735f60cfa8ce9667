import type { Severity, SupplyFinding, Taxonomy } from '../finding/finding.ts';
import type { Verdict } from './verdict.ts';

/**
 * One thing that a scanner looks for: a frozen constant beside the scanner that reports it, listed in the scanner's `rules`.
 * docs/scanning.md shows all of them.
 */
export interface Rule {
  /** `<format>/<what>` in kebab-case, e.g. `pickle/dangerous-global`. Never changes its meaning. */
  readonly id: `${string}/${string}`;
  /** What holds, in a few words. */
  readonly title: string;
  /** What a file becomes by it; nothing that is reported leaves a file clean. */
  readonly verdict: Exclude<Verdict, 'clean'>;
  readonly severity: Severity;
  /** Why that is dangerous, in a sentence or two for the reader of a report. */
  readonly why: string;
  /** Entries of public taxonomies; most are in [taxonomy.ts](taxonomy.ts). */
  readonly taxonomy: Taxonomy;
}

/** Where something was found. Names come out of files and are attacker-controlled. */
export interface Place {
  /** The file, as the caller named it. */
  readonly file: string;
  /** The way into it: names of members, container by container; empty for the file itself. */
  readonly inner: readonly string[];
  /** Byte in the innermost content. */
  readonly offset?: number | undefined;
}

/** One thing found. */
export interface Finding {
  readonly rule: Rule;
  readonly place: Place;
  /** What was found there, e.g. `os.system, called with 'id'`; at most 500 characters, attacker-controlled. */
  readonly what: string;
}

/** A place in words: `models.zip!net.pt!archive/data.pkl, byte 17`. */
export function placeText({ file, inner, offset }: Place): string {
  return [file, ...inner].join('!') + (offset === undefined ? '' : `, byte ${offset}`);
}

/** The finding as all of the supply chain's commands show theirs. */
export function toSupplyFinding({ rule, place, what }: Finding): SupplyFinding {
  return {
    rule: rule.id,
    severity: rule.severity,
    where: {
      path: placeText({ ...place, offset: undefined }),
      place: place.offset === undefined ? '' : `byte ${place.offset}`,
    },
    what,
    why: rule.why,
    taxonomy: rule.taxonomy,
  };
}
