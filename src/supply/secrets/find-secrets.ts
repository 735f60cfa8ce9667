import { asGlacisError } from '../../core/error.ts';
import type { Progress } from '../../core/progress.ts';
import { type ByteSource, memorySource, openFile } from '../../data/byte-source.ts';
import { bySeverity, LEAKED_CREDENTIAL, type SupplyFinding, type Unread } from '../finding/finding.ts';
import { isAllowed } from './allow.ts';
import { type Baseline, type BaselineEntry, fingerprinter } from './baseline.ts';
import type { TextPiece } from './look/piece.ts';
import { piecesOf } from './look/pieces.ts';
import { type Match, matcherOf } from './match.ts';
import { redacted } from './redact.ts';
import { SECRET_RULES } from './rules/registry.ts';
import type { StagedFile } from './staged.ts';
import { filesAt } from './walk.ts';

/** Version of the result's JSON. */
const SECRETS_SCHEMA = 'glacis.secrets/1';

/** What {@link findSecrets} found. Holds no secret. */
export interface SecretsResult {
  readonly schema: typeof SECRETS_SCHEMA;
  /** Files that were looked at. */
  readonly files: number;
  readonly bytes: number;
  /** The gravest first; rules are named `secrets/<id>`. */
  readonly findings: readonly SupplyFinding[];
  /** Files that could not be looked at, in whole or in part. */
  readonly unread: readonly Unread[];
  /** Binary files of which only the ends were looked at. */
  readonly partly: readonly Unread[];
  /** Secrets that a comment in the file allows. */
  readonly allowed: number;
  /** Secrets that the baseline knows. */
  readonly known: number;
}

/** How to look. */
export interface SecretsOptions {
  /** Secrets that are not reported. */
  readonly baseline?: Baseline;
  /** Receives each secret's entry, for a new baseline under this salt; those of {@link baseline}, too. */
  readonly record?: { readonly salt: string; add(entry: BaselineEntry): void };
  readonly progress?: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** Findings of one file beyond this many are counted, not kept. */
const MOST_PER_FILE = 1000;

const matcher = matcherOf(SECRET_RULES);

/**
 * Looks for secrets in the files at and below `paths`, or in `staged` ones. Reads each file once, in windows, and never throws
 * for what a file holds: what cannot be read is in the result. Errors: `run/cancelled`.
 *
 * @example
 * const { findings, unread } = await findSecrets(['notebooks', '.env']);
 */
export async function findSecrets(
  what: readonly string[] | { readonly staged: readonly StagedFile[] },
  { baseline, record, progress, signal }: SecretsOptions = {},
): Promise<SecretsResult> {
  const findings: SupplyFinding[] = [];
  const unread: Unread[] = [];
  const partly: Unread[] = [];
  const counts = { files: 0, bytes: 0, allowed: 0, known: 0 };
  const known = baseline && knownTo(baseline);
  const fingerprint = record && fingerprinter(record.salt);

  const look = async (path: string, source: ByteSource): Promise<void> => {
    counts.files++;
    counts.bytes += source.size;
    progress?.({ label: 'looking for secrets', done: counts.files, note: path });
    let kept = 0;
    const remark = ({ kind, reason }: { readonly kind: 'left' | 'unread'; readonly reason: string }) =>
      (kind === 'left' ? partly : unread).push({ path, reason });
    for await (const piece of piecesOf(source, remark, signal)) {
      for (const { match, place } of locate(piece)) {
        const { rule, secret, at, end } = match;
        if (isAllowed(piece.text, at, end, rule.id)) {
          counts.allowed++;
          continue;
        }
        if (record && fingerprint)
          record.add({ path, rule: rule.id, fingerprint: fingerprint(rule.id, secret) });
        if (known?.(path, rule.id, secret)) {
          counts.known++;
          continue;
        }
        kept++;
        if (kept <= MOST_PER_FILE) findings.push(findingOf(match, path, place));
      }
    }
    if (kept > MOST_PER_FILE)
      unread.push({ path, reason: `${kept} secrets, of which the first ${MOST_PER_FILE} are reported` });
  };
  const lookSafely = async (path: string, open: () => Promise<ByteSource>): Promise<void> => {
    let source: ByteSource | undefined;
    try {
      source = await open();
      await look(path, source);
    } catch (thrown) {
      const error = asGlacisError(thrown, 'data/unreadable', path);
      if (error.code === 'run/cancelled') throw error;
      unread.push({ path, reason: error.message });
    } finally {
      await source?.close();
    }
  };

  if ('staged' in what) {
    for (const { path, read } of what.staged)
      await lookSafely(path, async () => memorySource(await read(), path));
  } else {
    for await (const path of filesAt(what, (u) => unread.push(u), signal))
      await lookSafely(path, () => openFile(path));
  }
  return { schema: SECRETS_SCHEMA, ...counts, findings: bySeverity(findings), unread, partly };
}

/** Whether the baseline knows a secret in a file. Only secrets in files and of rules that it names are hashed. */
function knownTo(baseline: Baseline): (path: string, rule: string, secret: string) => boolean {
  const fingerprint = fingerprinter(baseline.salt);
  const places = new Set(baseline.entries.map(({ path, rule }) => `${path}\0${rule}`));
  const entries = new Set(baseline.entries.map(({ path, rule, fingerprint: f }) => `${path}\0${rule}\0${f}`));
  return (path, rule, secret) =>
    places.has(`${path}\0${rule}`) && entries.has(`${path}\0${rule}\0${fingerprint(rule, secret)}`);
}

/** The matches of a piece, each with its place in words and its line. */
function* locate(piece: TextPiece): Generator<{ readonly match: Match; readonly place: Place }> {
  const { text, from, to, strictOnly } = piece;
  const matches = matcher.find(text, {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    loose: !strictOnly,
  });
  let line = 1;
  let counted = 0;
  for (const match of matches) {
    for (let i = text.indexOf('\n', counted); i !== -1 && i < match.start; i = text.indexOf('\n', i + 1)) {
      line++;
      counted = i + 1;
    }
    const lineStart = text.lastIndexOf('\n', match.start - 1);
    // A window may begin in the middle of a line, and then the column is not known.
    const column = lineStart === -1 && (from ?? 0) > 0 ? undefined : match.start - lineStart;
    yield { match, place: placeOf(piece, match, line, column) };
  }
}

interface Place {
  readonly place: string;
  readonly line?: number;
  readonly column?: number;
}

function placeOf(
  { place, line: first, lineOf }: TextPiece,
  { secret }: Match,
  line: number,
  column: number | undefined,
): Place {
  // Names in a place come out of the file: one that is itself a secret must not be printed.
  const shown = matcher.find(place).length > 0 ? 'a name that is itself a secret' : place;
  if (first !== undefined)
    return { place: shown, line: first + line - 1, ...(column !== undefined && { column }) };
  const inFile = lineOf?.(secret);
  return {
    place: lineOf === undefined ? shown : `${shown}, line ${line}`,
    ...(inFile === undefined ? {} : { line: inFile }),
  };
}

function findingOf({ rule, secret }: Match, path: string, { place, line, column }: Place): SupplyFinding {
  return {
    rule: `secrets/${rule.id}`,
    severity: rule.severity,
    where: {
      path,
      place,
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
    },
    what: `${rule.title}: ${redacted(rule, secret)}.`,
    why: rule.why,
    taxonomy: LEAKED_CREDENTIAL,
  };
}
