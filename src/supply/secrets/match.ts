import { entropyOf } from './entropy.ts';
import { isPlaceholder } from './placeholder.ts';
import { LONGEST_MATCH, LOOK_BEHIND, type SecretRule } from './rule.ts';

/** A secret in a text. */
export interface Match {
  readonly rule: SecretRule;
  /** Where the match begins, which may be before the secret. */
  readonly at: number;
  /** Where the secret itself begins and ends in the text. */
  readonly start: number;
  readonly end: number;
  readonly secret: string;
}

/** Finds the secrets of a text. */
export interface Matcher {
  /**
   * The secrets whose match begins in `[from, to)`, in order. Text around that part is looked at, so a long text can be given
   * in windows that overlap by {@link LOOK_BEHIND} and {@link LONGEST_MATCH}. `loose` rules are tried unless it is false.
   */
  find(text: string, part?: Part): readonly Match[];
}

/** What of a text is looked at. */
export interface Part {
  readonly from?: number;
  readonly to?: number;
  readonly loose?: boolean;
}

interface Anchor {
  readonly text: string;
  readonly rules: readonly { readonly rule: SecretRule; readonly order: number }[];
}

/** Three characters as 15 bits: the low five of each, in which capitals and small letters are the same. */
const SLOTS = 1 << 15;

/**
 * A matcher of `rules`. Cost: one look at each character, and one try of a bounded pattern at each anchor, so it is linear in
 * the text whatever the text holds.
 */
export function matcherOf(rules: readonly SecretRule[]): Matcher {
  const slots = anchorTable(rules);
  return {
    find(text, { from = 0, to = text.length, loose = true } = {}) {
      const found: (Match & { readonly order: number })[] = [];
      /** By rule: where its last match ended, before which it is not tried again. */
      const resume = new Uint32Array(rules.length);
      const last = Math.min(to + 2, text.length);
      let hash = 0;
      for (let i = from; i < last; i++) {
        hash = ((hash << 5) | (text.charCodeAt(i) & 31)) & (SLOTS - 1);
        const anchors = slots[hash];
        if (anchors === undefined || i < from + 2) continue;
        for (const anchor of anchors) {
          const at = i - 2;
          if (!startsWithAnyCase(text, anchor.text, at)) continue;
          for (const { rule, order } of anchor.rules) {
            if (at < resume[order]! || (rule.loose && !loose)) continue;
            const match = tryAt(rule, text, at);
            if (match === undefined) continue;
            // What was looked at and is no secret is not looked at again for every anchor in it; its second half is, in case.
            resume[order] = match.secret ? match.end : at + ((match.end - at) >> 1);
            if (match.secret) found.push({ ...match, order });
          }
        }
      }
      return withoutOverlaps(found);
    },
  };
}

/** Anchors by the 15 bits of their first three characters. */
function anchorTable(rules: readonly SecretRule[]): readonly (readonly Anchor[] | undefined)[] {
  const byText = new Map<string, { rule: SecretRule; order: number }[]>();
  for (const [order, rule] of rules.entries())
    for (const text of new Set(rule.anchors.map((anchor) => anchor.toLowerCase()))) {
      if (text.length < 3) throw new Error(`${rule.id}: the anchor '${text}' is too short`);
      byText.set(text, [...(byText.get(text) ?? []), { rule, order }]);
    }
  const slots: Anchor[][] = Array.from({ length: SLOTS });
  for (const [text, entries] of byText) {
    let hash = 0;
    for (let i = 0; i < 3; i++) hash = (hash << 5) | (text.charCodeAt(i) & 31);
    const anchors = slots[hash];
    if (anchors === undefined) slots[hash] = [{ text, rules: entries }];
    else anchors.push({ text, rules: entries });
  }
  return slots;
}

/** `anchor` is in small letters. Only ASCII letters have two cases here. */
function startsWithAnyCase(text: string, anchor: string, at: number): boolean {
  for (let i = 0; i < anchor.length; i++) {
    const code = text.charCodeAt(at + i);
    const small = code >= 65 && code <= 90 ? code + 32 : code;
    if (small !== anchor.charCodeAt(i)) return false;
  }
  return true;
}

/** What the rule's pattern matches at `at`; with an empty secret where a closer look says that it is none. */
function tryAt(rule: SecretRule, text: string, at: number): Match | undefined {
  const { pattern } = rule;
  pattern.lastIndex = at;
  const place = pattern.exec(text)?.indices?.groups?.secret;
  if (place === undefined) return undefined;
  const [start, end] = place;
  const secret = text.slice(start, end);
  const beginning = secret.length > 256 ? secret.slice(0, 256) : secret;
  const real =
    entropyOf(beginning) >= (rule.entropy ?? 0) &&
    !isPlaceholder(beginning) &&
    rule.confirm?.(secret) !== false;
  return { rule, at, start, end, secret: real ? secret : '' };
}

/** The matches in order; of those that share characters the one whose rule comes first, loose ones last. */
function withoutOverlaps(found: (Match & { readonly order: number })[]): readonly Match[] {
  const weight = (m: { readonly rule: SecretRule; readonly order: number }) =>
    (m.rule.loose ? 1e6 : 0) + m.order;
  found.sort((a, b) => a.start - b.start || weight(a) - weight(b));
  const kept: (Match & { readonly order: number })[] = [];
  for (const match of found) {
    const previous = kept.at(-1);
    if (previous === undefined || match.start >= previous.end) kept.push(match);
    else if (weight(match) < weight(previous)) kept[kept.length - 1] = match;
  }
  return kept.map(({ rule, at, start, end, secret }) => ({ rule, at, start, end, secret }));
}

/** How much two windows over one text must overlap. */
export const OVERLAP = { before: LOOK_BEHIND, after: LONGEST_MATCH } as const;
