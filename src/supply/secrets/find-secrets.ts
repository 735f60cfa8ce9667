import { asGlacisError } from '../../core/error.ts';
import type { Progress } from '../../core/progress.ts';
import { type ByteSource, memorySource, openFile } from '../../data/byte-source.ts';
import { bySeverity, LEAKED_CREDENTIAL, type SupplyFinding, type Unread } from '../finding/finding.ts';
import { isAllowed } from './allow.ts';
import { type Baseline, type BaselineEntry, fingerprinter } from './baseline.ts';
import type { GivenFile } from './given-file.ts';
import { lookInside } from './look/archive.ts';
import type { Remark, TextPiece } from './look/piece.ts';
import { BINARY_ENDS, piecesOf } from './look/pieces.ts';
import { type Match, matcherOf } from './match.ts';
import { redacted } from './redact.ts';
import { SECRET_RULES } from './rules/registry.ts';
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

/** Findings of one file, with all that is in it, beyond this many are counted, not kept. */
const MOST_PER_FILE = 1000;
/** How much of the two ends of binary content inside archives is looked at: checkpoints hold thousands of tensors. */
const MEMBER_ENDS = 1 << 18;

const matcher = matcherOf(SECRET_RULES);

/** A file on its way: what findings name it, and what was found in it so far. */
interface Looking {
  readonly path: string;
  /** In front of all places. */
  readonly from?: string | undefined;
  /** Secrets that were met in it, by rule. */
  readonly met: Set<string>;
  kept: number;
  /** Whether it was an archive, and whether of contents in it only the ends were looked at. */
  opened: boolean;
  partly: boolean;
}

/**
 * Looks for secrets in the files at and below `paths`, or in given ones (staged, or of a history). Archives are opened. Reads each file
 * once, in windows, and never throws for what a file holds: what cannot be read is in the result.
 * Errors: `run/cancelled`, and those of the list of given files.
 *
 * @example
 * const { findings, unread } = await findSecrets(['notebooks', '.env']);
 */
export async function findSecrets(
  what: readonly string[] | { readonly given: Iterable<GivenFile> | AsyncIterable<GivenFile> },
  { baseline, record, progress, signal }: SecretsOptions = {},
): Promise<SecretsResult> {
  const findings: SupplyFinding[] = [];
  const unread: Unread[] = [];
  const partly: Unread[] = [];
  const counts = { files: 0, bytes: 0, allowed: 0, known: 0 };
  const known = baseline && knownTo(baseline);
  const fingerprint = record && fingerprinter(record.salt);

  /** Looks at one content: the file itself, or something in it, which `path` leads to. */
  const lookAt = async (path: string, content: ByteSource, looking: Looking, ends: number) => {
    const isItself = path === looking.path;
    const remark = ({ kind, reason }: Remark) => {
      if (kind === 'unread') unread.push({ path, reason: told(looking.from, reason) });
      // Of an archive one remark says it for all that is in it, and its own bytes were seen in there.
      else if (isItself && !looking.opened) partly.push({ path, reason: told(looking.from, reason) });
      else looking.partly ||= !isItself;
    };
    const again = new Set(isItself ? looking.met : []);
    for await (const piece of piecesOf(content, remark, { ends, signal })) {
      for (const { match, place } of locate(piece)) {
        const { rule, secret, at, end } = match;
        const key = `${rule.id}\0${secret}`;
        // What lies in an archive without compression is seen a second time in the archive's own bytes.
        if (again.has(key)) continue;
        looking.met.add(key);
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
        looking.kept++;
        if (looking.kept <= MOST_PER_FILE) findings.push(findingOf(match, path, place, looking.from));
      }
    }
  };
  const look = async (path: string, from: string | undefined, source: ByteSource): Promise<void> => {
    counts.files++;
    counts.bytes += source.size;
    progress?.({ label: 'looking for secrets', done: counts.files, note: path });
    const looking: Looking = { path, from, met: new Set(), kept: 0, opened: false, partly: false };
    looking.opened = await lookInside(
      source,
      path,
      (member, content) => lookAt(member, content, looking, MEMBER_ENDS),
      (member, reason) => unread.push({ path: member, reason: told(from, reason) }),
      signal,
    );
    await lookAt(path, source, looking, BINARY_ENDS);
    if (looking.partly)
      partly.push({
        path,
        reason: told(
          from,
          `binary contents in it: only the first and the last ${MEMBER_ENDS >> 10} KiB of each`,
        ),
      });
    if (looking.kept > MOST_PER_FILE)
      unread.push({
        path,
        reason: `${looking.kept} secrets, of which the first ${MOST_PER_FILE} are reported`,
      });
  };
  const lookSafely = async (
    path: string,
    from: string | undefined,
    open: () => Promise<ByteSource>,
  ): Promise<void> => {
    let source: ByteSource | undefined;
    try {
      source = await open();
      await look(path, from, source);
    } catch (thrown) {
      const error = asGlacisError(thrown, 'data/unreadable', path);
      if (error.code === 'run/cancelled') throw error;
      unread.push({ path, reason: error.message });
    } finally {
      await source?.close();
    }
  };

  if ('given' in what) {
    for await (const { path, from, read } of what.given)
      await lookSafely(path, from, async () => memorySource(await read(), path));
  } else {
    for await (const path of filesAt(what, (u) => unread.push(u), signal))
      await lookSafely(path, undefined, () => openFile(path));
  }
  return { schema: SECRETS_SCHEMA, ...counts, findings: bySeverity(findings), unread, partly };
}

/** Words with where a file comes from in front. */
function told(from: string | undefined, words: string): string {
  return [from, words].filter((part) => part !== undefined && part !== '').join(', ');
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

function findingOf(
  { rule, secret }: Match,
  path: string,
  { place, line, column }: Place,
  from: string | undefined,
): SupplyFinding {
  return {
    rule: `secrets/${rule.id}`,
    severity: rule.severity,
    where: {
      path,
      place: told(from, place),
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
    },
    what: `${rule.title}: ${redacted(rule, secret)}.`,
    why: rule.why,
    taxonomy: LEAKED_CREDENTIAL,
  };
}
