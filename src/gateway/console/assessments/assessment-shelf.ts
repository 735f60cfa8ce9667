import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { readdir, realpath } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { compareAssessments } from '../../../assess/index.ts';
import type { Assessment } from '../../../assess/result.ts';
import { parseAssessment } from '../../../assess/result-json.ts';
import { GlacisError } from '../../../core/error.ts';
import { openBelow } from '../../../core/open-below.ts';
import { renderHtml } from '../../../report/html.ts';
import type { AssessmentRow } from '../api.ts';
import { assessmentRow } from './assessment-row.ts';

/** Results of assessments in a folder. Everything in it may be anybody's: what is no assessment is passed over, and nothing outside of the folder is read. */
export interface AssessmentShelf {
  /** All that can be read, the newest first. */
  rows(): Promise<{ readonly rows: readonly AssessmentRow[]; readonly unreadable: number }>;
  /** The result's JSON, or undefined. Errors: `result/invalid`, `data/too-large`. */
  text(id: string): Promise<string | undefined>;
  /** The report beside it, or one that is made from it. Errors as {@link text}. */
  report(id: string): Promise<string | undefined>;
  /** Both held against each other, sample by sample. Errors: those of `compareAssessments`. */
  compare(a: string, b: string): Promise<object | undefined>;
}

/** Bytes of a result and of a report. */
const MOST_RESULT = 32 << 20;
const MOST_REPORT = 64 << 20;
const MOST_DEPTH = 5;
const MOST_ENTRIES = 20_000;
const MOST_RESULTS = 2000;
/** What a result of an assessment says in its first bytes. */
const HEAD = 4096;

interface Known {
  readonly stamp: string;
  readonly row: AssessmentRow | undefined;
}

/** Opens the shelf. */
export function openShelf(folder: string): AssessmentShelf {
  let known = new Map<string, Known>();
  /** By id: the path below the folder, with `/`. */
  const paths = new Map<string, string>();

  const root = () => realpath(folder);
  const findAll = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    let seen = 0;
    const walk = async (below: string, depth: number): Promise<void> => {
      const entries = await readdir(join(await root(), below), { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        if (++seen > MOST_ENTRIES || found.length >= MOST_RESULTS) return;
        const path = posix.join(below, entry.name);
        // Links are neither files nor folders here.
        if (entry.isDirectory() && depth < MOST_DEPTH) await walk(path, depth + 1);
        else if (entry.isFile() && entry.name.endsWith('.json')) found.push(path);
      }
    };
    // A folder that is not there yet has no results.
    if ((await root().catch(() => undefined)) !== undefined) await walk('', 0);
    return found;
  };
  const pathOf = async (id: string): Promise<string | undefined> => {
    if (!paths.has(id)) for (const path of await findAll()) paths.set(idOf(path), path);
    return paths.get(id);
  };
  const open = async (path: string): Promise<FileHandle | undefined> =>
    openBelow(await root(), path, (reason) => new GlacisError('data/unreadable', reason)).catch(
      () => undefined,
    );
  const read = async (path: string, most: number): Promise<string | undefined> => {
    const handle = await open(path);
    if (handle === undefined) return undefined;
    try {
      const { size } = await handle.stat();
      if (size > most)
        throw new GlacisError('data/too-large', `${path}: expected at most ${most} bytes, got ${size}`);
      const bytes = Buffer.alloc(size);
      let at = 0;
      while (at < size) {
        const { bytesRead } = await handle.read(bytes, at, size - at, at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return bytes.toString('utf8', 0, at);
    } finally {
      await handle.close();
    }
  };
  const reportBeside = async (path: string): Promise<string | undefined> => {
    for (const name of [path.replace(/\.json$/, '.html'), posix.join(posix.dirname(path), 'report.html')]) {
      const handle = await open(name);
      await handle?.close();
      if (handle !== undefined) return name;
    }
    return undefined;
  };
  const look = async (path: string): Promise<Known> => {
    const handle = await open(path);
    if (handle === undefined) return { stamp: 'gone', row: undefined };
    let stamp: string;
    try {
      const { size, mtimeMs } = await handle.stat();
      stamp = `${size} ${mtimeMs}`;
      const before = known.get(path);
      if (before?.stamp === stamp) return before;
      const head = Buffer.alloc(Math.min(HEAD, size));
      await handle.read(head, 0, head.length, 0);
      // Other JSON (settings, figures) is nobody's mistake.
      if (!head.toString('utf8').includes('"glacis.assessment/'))
        return { stamp: `${stamp} other`, row: undefined };
    } finally {
      await handle.close();
    }
    try {
      const text = await read(path, MOST_RESULT);
      return { stamp, row: assessmentRow(idOf(path), parseAssessment(text ?? '', path), true) };
    } catch {
      return { stamp, row: undefined };
    }
  };
  const assessmentOf = async (
    id: string,
  ): Promise<{ readonly path: string; readonly text: string } | undefined> => {
    const path = await pathOf(id);
    const text = path === undefined ? undefined : await read(path, MOST_RESULT);
    return text === undefined ? undefined : { path: path!, text };
  };

  return {
    async rows() {
      const next = new Map<string, Known>();
      const rows: AssessmentRow[] = [];
      let unreadable = 0;
      for (const path of await findAll()) {
        const each = await look(path);
        next.set(path, each);
        paths.set(idOf(path), path);
        if (each.row !== undefined) rows.push(each.row);
        else if (!/ other$|^gone$/.test(each.stamp)) unreadable++;
      }
      known = next;
      return { rows: rows.toSorted((a, b) => b.at - a.at || a.id.localeCompare(b.id)), unreadable };
    },
    async text(id) {
      const found = await assessmentOf(id);
      // Checked, and written anew: what goes to a browser is what was understood.
      return found && JSON.stringify(parseAssessment(found.text, found.path));
    },
    async report(id) {
      const found = await assessmentOf(id);
      if (found === undefined) return undefined;
      const assessment: Assessment = parseAssessment(found.text, found.path);
      const beside = await reportBeside(found.path);
      return (beside === undefined ? undefined : await read(beside, MOST_REPORT)) ?? renderHtml(assessment);
    },
    async compare(a, b) {
      const [one, other] = [await pathOf(a), await pathOf(b)];
      if (one === undefined || other === undefined) return undefined;
      const base = await root();
      const files = [join(base, one), join(base, other)];
      try {
        return await compareAssessments(files, { root: base });
      } catch (thrown) {
        if (!(thrown instanceof GlacisError && thrown.code === 'data/mismatch')) throw thrown;
        return compareAssessments(files, { root: base, unpaired: true });
      }
    },
  };
}

function idOf(path: string): string {
  return createHash('sha256').update(path).digest('base64url').slice(0, 16);
}
