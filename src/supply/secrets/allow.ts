/** How far the line of a match is looked at on either side. */
const REACH = 400;

/**
 * Whether a comment allows the match in `[start, end)`: `glacis:allow-secret` or `glacis:allow-secret(rule, rule)` on the
 * line where it begins, the line above, or the line where it ends. Without a list every rule is allowed.
 */
export function isAllowed(text: string, start: number, end: number, ruleId: string): boolean {
  const lineStart = text.lastIndexOf('\n', start - 1);
  const above = lineStart <= 0 ? 0 : text.lastIndexOf('\n', lineStart - 1) + 1;
  const lineEnd = text.indexOf('\n', end);
  const before = text.slice(Math.max(above, start - REACH), start);
  const after = text.slice(end, Math.min(lineEnd === -1 ? text.length : lineEnd, end + REACH));
  for (const [, list] of `${before}\n${after}`.matchAll(/glacis:allow-secret\b(?:\(([\w ,-]{0,300})\))?/g)) {
    if (list === undefined) return true;
    if (list.split(',').some((id) => id.trim() === ruleId)) return true;
  }
  return false;
}
