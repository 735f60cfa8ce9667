import { Composer, CST, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, Parser } from 'yaml';
import { GlacisError } from '../../core/error.ts';

/** Largest policy file in characters; one with a hundred models and stages has some tens of thousands. */
const MOST_CHARACTERS = 256 * 1024;
/** Levels of lists and maps; a policy has seven. */
const MOST_LEVELS = 12;
/** Columns of indentation: what bounds the levels of lists and maps that are nested by it. */
const MOST_INDENTATION = 80;
/** Tokens that can become a value: scalars, entries of lists, brackets. */
const MOST_VALUES = 20_000;

/** A text as plain data, and where each value stands. */
export interface YamlText {
  /** Maps as objects with own keys, lists, texts, finite or non-finite numbers, booleans and `null`. */
  readonly value: unknown;
  /** `12:5` (line and column from 1) of the value at `path`, or of the nearest one around it. */
  placeOf(path: readonly PropertyKey[]): string;
}

/**
 * Reads one YAML 1.2 document (core schema) as plain data. Its lexer looks at the text first, so that nothing is built for a file that
 * is too large or nests too deep. Refused, because a policy needs none of them and each can hide what a reader sees: anchors and aliases,
 * tags, directives, several documents, keys that are not texts, a key twice in a map, and the key `__proto__`.
 * Errors: `policy/invalid` with line and column.
 */
export function readYaml(text: string, where: string): YamlText {
  if (text.length > MOST_CHARACTERS)
    throw refused(where, `at most ${MOST_CHARACTERS} characters`, text.length);
  const lines = new LineCounter();
  checkTokens(text, where);
  try {
    return composed(text, where, lines);
  } catch (thrown) {
    if (thrown instanceof GlacisError) throw thrown;
    throw new GlacisError('policy/invalid', `${where}: expected YAML, got a text that cannot be read`, {
      cause: thrown,
    });
  }
}

const REFUSED_TOKENS: Readonly<Record<string, string>> = {
  anchor: 'no anchors',
  alias: 'no aliases',
  tag: 'no tags',
  'directive-line': 'no directives',
  'doc-end': 'one document',
};

const VALUE_TOKENS: ReadonlySet<string> = new Set([
  'scalar',
  'single-quoted-scalar',
  'double-quoted-scalar',
  'seq-item-ind',
  'flow-map-start',
  'flow-seq-start',
]);

/** Walks the tokens once, without building anything. */
function checkTokens(text: string, where: string): void {
  // The lexer's own marks are control characters, which YAML does not allow in a text.
  if (/(?![\t\n\r])\p{Cc}/u.test(text)) throw refused(where, 'text', 'control characters');
  let [line, flow, inLine, starts, values] = [1, 0, 0, 0, 0];
  let atLineStart = true;
  let isContent = false;
  for (const source of new Lexer().lex(text)) {
    const type: string | null = isContent ? null : CST.tokenType(source);
    isContent = type === 'scalar';
    if (type !== null && VALUE_TOKENS.has(type) && ++values > MOST_VALUES)
      throw refused(where, `at most ${MOST_VALUES} values`, 'more');
    if (isContent || type === 'doc-mode' || type === 'flow-error-end') continue;
    const fail = (expected: string): never => {
      throw refused(`${where}:${line}`, expected, 'one');
    };
    if (type !== null && REFUSED_TOKENS[type] !== undefined) fail(REFUSED_TOKENS[type]);
    if (type === 'doc-start' && ++starts > 1) fail('one document');
    if (type === 'space' && atLineStart && source.length > MOST_INDENTATION)
      throw refused(`${where}:${line}`, `at most ${MOST_INDENTATION} columns of indentation`, source.length);
    if (type === 'flow-map-start' || type === 'flow-seq-start') flow++;
    if (type === 'flow-map-end' || type === 'flow-seq-end') flow--;
    if (type === 'seq-item-ind' || type === 'explicit-key-ind') inLine++;
    if (flow + inLine > MOST_LEVELS)
      throw refused(`${where}:${line}`, `at most ${MOST_LEVELS} levels`, 'more');
    if (source.includes('\n')) {
      line += source.split('\n').length - 1;
      inLine = 0;
    }
    atLineStart = source.endsWith('\n');
  }
}

function composed(text: string, where: string, lines: LineCounter): YamlText {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    stringKeys: true,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const documents = [...composer.compose(parser.parse(text), true, text.length)];
  const [document] = documents;
  if (document === undefined || documents.length > 1)
    throw new GlacisError('policy/invalid', `${where}: expected one document, got ${documents.length}`);
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) {
    const message = problem.message.split('\n')[0]!.replace(/:$/, '').slice(0, 200);
    throw new GlacisError('policy/invalid', `${where}:${at(problem.pos[0])}: expected YAML, got: ${message}`);
  }
  const places = new Map<string, number>();
  /** Bounded by what the lexer let through, and once more here. */
  const plain = (node: Node | null, path: readonly PropertyKey[]): unknown => {
    const start = node?.range?.[0];
    if (start !== undefined) places.set(keyOf(path), start);
    if (path.length > MOST_LEVELS)
      throw refused(`${where}:${at(start ?? 0)}`, `at most ${MOST_LEVELS} levels`, 'more');
    if (isSeq(node)) return node.items.map((item, i) => plain(item as Node | null, [...path, i]));
    if (isMap(node)) {
      const result: Record<string, unknown> = {};
      for (const { key, value } of node.items) {
        const name = isScalar(key) ? key.value : undefined;
        if (typeof name !== 'string' || name === '__proto__')
          throw refused(
            `${where}:${at((key as Node | null)?.range?.[0] ?? start ?? 0)}`,
            'a key',
            'something else',
          );
        result[name] = plain(value as Node | null, [...path, name]);
      }
      return result;
    }
    return isScalar(node) ? node.value : null;
  };
  const value = plain(document.contents, []);
  return {
    value,
    placeOf(path) {
      for (let end = path.length; end >= 0; end--) {
        const found = places.get(keyOf(path.slice(0, end)));
        if (found !== undefined) return at(found);
      }
      return '1:1';
    },
  };
}

function keyOf(path: readonly PropertyKey[]): string {
  return JSON.stringify(path.map(String));
}

function refused(where: string, expected: string, got: string | number): GlacisError {
  return new GlacisError('policy/invalid', `${where}: expected ${expected}, got ${got}`);
}
