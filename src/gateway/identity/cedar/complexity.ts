import type { PolicyText } from './policy-files.ts';

/** How deeply brackets may be nested, and how many conditions and operators one policy may have. Cedar's reader and evaluator recurse along both; measured, they fail past 100 and 150. */
const MOST_NESTING = 24;
const MOST_OPERATORS = 80;

/** Texts and comments are passed over; brackets, ends and operators are counted. */
const TOKEN =
  /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|[([{]|[)\]}]|;|&&|\|\||==|!=|<=|>=|[-+*<>!]|\.|\b(?:if|then|else|when|unless|has|like|in|is)\b/gs;

/** Policies that are too involved to be evaluated safely, as `file:line: …`. Linear in the text. */
export function tooInvolved({ name, text }: PolicyText): readonly string[] {
  const problems: string[] = [];
  let depth = 0;
  let operators = 0;
  let isReported = false;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === ';') {
      depth = 0;
      operators = 0;
      isReported = false;
    } else if ('([{'.includes(token)) depth++;
    else if (')]}'.includes(token)) depth--;
    else if (!token.startsWith('"') && !token.startsWith('//')) operators++;
    if (isReported || (depth <= MOST_NESTING && operators <= MOST_OPERATORS)) continue;
    isReported = true;
    const line = text.slice(0, index).split('\n').length;
    problems.push(
      `${name}:${line}: expected a policy of at most ${MOST_OPERATORS} conditions and operators, nested at most ${MOST_NESTING} deep; use a set, a role or several policies`,
    );
  }
  return problems;
}
