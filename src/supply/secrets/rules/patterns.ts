import { PAID_SERVICE, type SecretRule } from '../rule.ts';

/**
 * The begin of a word, where `-` and `_` are parts of words; or the end of an escape, `\n` in JSON text or `%3D` in an address.
 * So a token is found in the middle of escaped text, and tried once in a run of characters that could be one.
 */
export const START = String.raw`(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2}))`;

/** No letter or digit after. */
export const END = '(?![A-Za-z0-9])';

/** What may stand between a name and the value that it is given, in code, JSON, YAML, XML, `.env`, or JSON inside of JSON. */
export const ASSIGN =
  String.raw`[\\"'${'`'}\])]{0,4}(?:[ \t]{0,4}:[ \t]{0,4}(?:str|string|String|bytes|SecretStr|Optional\[str\])(?=[ \t=]))?` +
  String.raw`[ \t]{0,8}(?:=>|:=|={1,3}|:|,|>)[ \t]{0,8}(?:[bBrRuUf]{1,2}(?=["']))?[\\"'${'`'}({\[]{0,4}`;

/** A sticky pattern with indices; `flags` are added. */
export function sticky(source: string, flags = ''): RegExp {
  return new RegExp(source, `dy${flags}`);
}

/** A rule for tokens that show what they are by how they begin. */
export function prefixed(
  id: string,
  title: string,
  prefixes: readonly string[],
  body: string,
  source: string,
  more: Partial<SecretRule> = {},
): SecretRule {
  const begins = prefixes.map((prefix) => prefix.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  return {
    id,
    title,
    severity: 'critical',
    why: PAID_SERVICE,
    anchors: prefixes,
    pattern: sticky(`${START}(?<secret>(?:${begins})${body})`),
    entropy: 3,
    shown: Math.min(...prefixes.map((prefix) => prefix.length)),
    source,
    ...more,
  };
}

/** A rule for values that are only known by the name they are given: `name` … key or token … `body`. */
export function named(
  id: string,
  title: string,
  names: readonly string[],
  what: string,
  body: string,
  source: string,
  more: Partial<SecretRule> = {},
): SecretRule {
  return {
    id,
    title,
    severity: 'critical',
    why: PAID_SERVICE,
    anchors: names,
    pattern: sticky(
      `(?:${names.join('|')})[\\w.-]{0,24}?(?:${what})\\w{0,8}?${ASSIGN}(?<secret>${body})(?![A-Za-z0-9+/_=-])`,
      'i',
    ),
    entropy: 3,
    source,
    ...more,
  };
}
