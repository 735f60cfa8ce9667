import type { SecretRule } from './rule.ts';

/**
 * A secret as it may be shown: what every secret of its kind begins with, and its length. Nothing of the part that makes it
 * secret, not even its end: output lands in logs that many read.
 */
export function redacted(rule: SecretRule, secret: string): string {
  const count = secret.replace(/\s/g, '').length;
  return `${secret.slice(0, rule.shown ?? 0)}… (${count} characters)`;
}
