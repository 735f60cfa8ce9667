import type { Rule } from '../finding.ts';
import type { Budget } from '../limits.ts';
import { TAXONOMY } from '../taxonomy.ts';

/** What may be wrong with a chat template. */
export const TEMPLATE_RULES = {
  attributes: {
    id: 'template/python-internals',
    title: 'A template that reaches into Python',
    verdict: 'malicious',
    severity: 'critical',
    why: 'Names with two underscores lead from any value to every loaded module. A renderer without a sandbox runs commands (CVE-2024-34359, CVE-2026-5760).',
    taxonomy: [...TAXONOMY.template, 'CVE-2024-34359', 'CVE-2026-5760'],
  },
  detour: {
    id: 'template/attribute-detour',
    title: 'A template that gets at attributes by a detour',
    verdict: 'malicious',
    severity: 'high',
    why: 'attr() and its kin, names put together at run time, and escapes in names have no use in a chat template except to hide which attribute is meant.',
    taxonomy: TAXONOMY.template,
  },
  context: {
    id: 'template/render-context',
    title: 'A template that reaches into its renderer',
    verdict: 'suspicious',
    severity: 'high',
    why: 'cycler, joiner, lipsum, self, config and request are the usual first steps out of a template; none of them is part of a chat template’s context.',
    taxonomy: TAXONOMY.template,
  },
  include: {
    id: 'template/includes',
    title: 'A template that loads other templates',
    verdict: 'suspicious',
    severity: 'high',
    why: 'include, import, from and extends read files that the template names.',
    taxonomy: TAXONOMY.template,
  },
  exhaustion: {
    id: 'template/exhaustion',
    title: 'A template that may never end',
    verdict: 'suspicious',
    severity: 'medium',
    why: 'A range or a repetition of a million and more per message stops the server that renders it.',
    taxonomy: TAXONOMY.exhaustion,
  },
} as const satisfies Record<string, Rule>;

/** Functions of Python that no template has a reason to name. */
const CALLS =
  /^(?:eval|exec|open|compile|popen|system|getattr|setattr|globals|locals|vars|import_module|check_output|Popen|run_code|func_globals|mro|gi_frame|f_globals|cr_frame|ag_frame|tb_frame|f_back)$/;

const CONTEXT =
  /^(?:cycler|joiner|lipsum|url_for|get_flashed_messages|self|config|request|session|environ|g|current_app)$/;

const DETOURS = /^(?:attr|map|selectattr|rejectattr|groupby|sum|unique|min|max|sort|format_map|format)$/;

const LOADS = /^(?:include|import|from|extends)$/;

/** Longest template that is looked at. */
const LONGEST = 4 << 20;

/** A token of Jinja's expression language. */
interface Token {
  readonly kind: 'name' | 'text' | 'number' | 'sign';
  readonly text: string;
}

/**
 * Says what a Jinja template would reach for. Only expressions and statements are read, comments and plain text are not. `report`
 * receives each rule with what stands there. Linear in the template. Sound as far as a name is written in the template: text that is
 * put together from the conversation cannot be followed, so the means of doing that with attributes are findings themselves.
 */
export function judgeTemplate(
  template: string,
  budget: Budget,
  report: (rule: Rule, what: string) => void,
): void {
  if (template.length > LONGEST) {
    report(TEMPLATE_RULES.exhaustion, `a template of ${template.length} characters`);
    return;
  }
  for (const block of blocksOf(template)) {
    budget.step();
    judgeTokens(tokensOf(block.code), block, budget, report);
  }
}

interface Block {
  readonly kind: 'expression' | 'statement';
  readonly code: string;
}

/** The insides of `{{ … }}` and `{% … %}`, also where the end is missing; `{# … #}` is passed over. */
function* blocksOf(template: string): Generator<Block> {
  let at = 0;
  for (;;) {
    const start = template.indexOf('{', at);
    if (start === -1) return;
    const mark = template[start + 1];
    if (mark !== '{' && mark !== '%' && mark !== '#') {
      at = start + 1;
      continue;
    }
    const close = mark === '{' ? '}}' : `${mark}}`;
    const end = endOf(template, start + 2, close, mark !== '#');
    if (mark !== '#')
      yield { kind: mark === '{' ? 'expression' : 'statement', code: template.slice(start + 2, end) };
    at = end + 2;
  }
}

/** Where `close` stands outside of quotes, or the end of the text. */
function endOf(text: string, from: number, close: string, quotes: boolean): number {
  if (!quotes) {
    const end = text.indexOf(close, from);
    return end === -1 ? text.length : end;
  }
  const mark = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|$)|'[^'\\]*(?:\\[\s\S][^'\\]*)*(?:'|$)|[}%]\}/g;
  mark.lastIndex = from;
  for (let match = mark.exec(text); match !== null; match = mark.exec(text))
    if (match[0] === close) return match.index;
  return text.length;
}

const TOKEN =
  /(?<name>[\p{L}\p{Pc}][\p{L}\p{M}\p{N}\p{Pc}]*)|(?<text>"[^"\\]*(?:\\[\s\S][^"\\]*)*"?|'[^'\\]*(?:\\[\s\S][^'\\]*)*'?)|(?<number>\d[\d_]*)|(?<sign>[^\s])/gu;

function tokensOf(code: string): readonly Token[] {
  return [...code.matchAll(TOKEN)].map(({ groups }) => {
    const { name, text, number, sign } = groups!;
    if (name !== undefined) return { kind: 'name', text: name.normalize('NFKC') };
    if (text !== undefined) return { kind: 'text', text: unescaped(text.replace(/^["']|["']$/g, '')) };
    return number !== undefined
      ? { kind: 'number', text: number.replaceAll('_', '') }
      : { kind: 'sign', text: sign! };
  });
}

/** A text as Python reads it: `\x5f`, `\137`, `\u005f`. */
function unescaped(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|N\{LOW LINE\})/g,
    (whole, x, u, U, o) => {
      const hex = x ?? u ?? U;
      if (hex === undefined && o === undefined) return '_';
      const code = hex === undefined ? Number.parseInt(o, 8) : Number.parseInt(hex, 16);
      return code > 0x10ffff ? whole : String.fromCodePoint(code);
    },
  );
}

const DUNDER = /__[a-zA-Z]\w*__|^__\w*$/;
/** Nothing but underscores is a part of such a name where it is joined with something. */
const UNDERSCORES = /^_+$/;

function judgeTokens(
  tokens: readonly Token[],
  block: Block,
  budget: Budget,
  report: (rule: Rule, what: string) => void,
): void {
  const shown = block.code.trim().slice(0, 200);
  for (const [i, token] of tokens.entries()) {
    budget.step();
    const [before, after] = [tokens[i - 1]?.text, tokens[i + 1]?.text];
    if (token.kind === 'name') {
      const member = before === '.';
      if (member ? token.text.startsWith('_') || CALLS.test(token.text) : token.text.startsWith('__'))
        report(TEMPLATE_RULES.attributes, shown);
      else if (!member && CALLS.test(token.text) && after === '(') report(TEMPLATE_RULES.attributes, shown);
      if (before === '|' && isDetour(token.text, tokens, i)) report(TEMPLATE_RULES.detour, shown);
      if (member && /^format(?:_map)?$/.test(token.text) && formatReaches(tokens, i))
        report(TEMPLATE_RULES.detour, shown);
      if (!member && CONTEXT.test(token.text) && (after === '.' || after === '[' || after === '|'))
        report(TEMPLATE_RULES.context, shown);
      if (i === opening(tokens) && block.kind === 'statement' && LOADS.test(token.text))
        report(TEMPLATE_RULES.include, shown);
      if (token.text === 'range' && after === '(' && tokens.slice(i, i + 8).some(isHuge))
        report(TEMPLATE_RULES.exhaustion, shown);
    } else if (token.kind === 'text') {
      const joined = isOperator(before) || isOperator(after);
      const key = before === '[' || before === '(';
      if (
        KNOWN_INTERNALS.test(token.text) ||
        (DUNDER.test(token.text) && (key || joined)) ||
        (UNDERSCORES.test(token.text) && joined)
      )
        report(TEMPLATE_RULES.attributes, shown);
    } else if (
      token.kind === 'sign' &&
      token.text === '*' &&
      before !== '*' &&
      tokens[i + 1] &&
      isHuge(tokens[i + 1]!)
    ) {
      report(TEMPLATE_RULES.exhaustion, shown);
    }
  }
}

const KNOWN_INTERNALS =
  /__(?:class|globals|builtins|import|subclasses|init|mro|base|bases|dict|getattribute|getattr|code|call|reduce|reduce_ex|self|module|loader|spec|func|closure|new|del|wrapped)__/;

/** Statements may begin with `-` or `+`, which trims blanks. */
const opening = (tokens: readonly Token[]) => (tokens[0]?.text === '-' || tokens[0]?.text === '+' ? 1 : 0);

const isOperator = (text: string | undefined) => text === '~' || text === '+' || text === '*' || text === '%';

const isHuge = ({ kind, text }: Token) => kind === 'number' && text.length >= 7;

/** Filters that take the name of an attribute as text. `attr` has no other use; the others only with an attribute named. */
function isDetour(filter: string, tokens: readonly Token[], i: number): boolean {
  if (filter === 'attr') return true;
  if (!DETOURS.test(filter) || tokens[i + 1]?.text !== '(') return false;
  if (filter === 'format') return formatReaches(tokens, i);
  const list = tokens.slice(i + 2, i + 12);
  const close = list.findIndex(({ text }) => text === ')');
  return list
    .slice(0, close === -1 ? list.length : close)
    .some(
      ({ kind, text }) =>
        kind === 'text' && (text.includes('__') || text === 'attr' || /(?:^|\.)_/.test(text)),
    );
}

/** Whether the text before `.format(` or `|format(` names attributes of its arguments: `{0.__class__}`. */
function formatReaches(tokens: readonly Token[], i: number): boolean {
  return tokens
    .slice(Math.max(0, i - 3), i)
    .some(({ kind, text }) => kind === 'text' && /\{[^{}]{0,80}[.[]|__|%c/.test(text));
}
