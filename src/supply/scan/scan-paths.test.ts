import { execFileSync } from 'node:child_process';
import {
  appendFile,
  chmod,
  link,
  mkdir,
  mkdtemp,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_SCAN_LIMITS, newBudget } from './limits.ts';
import { bytes, op, PAYLOAD, pickle } from './pickle/pickle.fixture.ts';
import { scanFile } from './scan-file.ts';
import { type ScanResult, scanPaths } from './scan-paths.ts';
import { type SourceScan, scanCollection } from './scan-source.ts';
import { fileText, summaryText } from './scan-text.ts';
import type { CollectionScanner, Scanner } from './scanner.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-scan-'));
});
afterEach(() => rm(folder, { recursive: true }));

const EVIL = pickle(PAYLOAD);
const CLEAN = pickle(op('NONE'));
const NOISE = new Uint8Array(20).fill(0xfe);
const at = (...steps: readonly string[]) => join(folder, ...steps);

/** `path below the folder: verdict rules` of every file that is a model or shows something. */
function lines({ files }: ScanResult): readonly string[] {
  return files
    .filter(({ formats, findings }) => formats.length + findings.length > 0)
    .map(({ path, verdict, findings }) =>
      [path.slice(folder.length + 1), verdict, ...new Set(findings.map(({ rule }) => rule))].join(' '),
    );
}

describe('scanPaths', () => {
  it('finds models by their content, in every folder, and the worst is the verdict', async () => {
    await mkdir(at('a', 'b'), { recursive: true });
    await writeFile(at('readme.md'), 'words');
    await writeFile(at('a', 'notes.txt'), EVIL);
    await writeFile(at('a', 'b', 'clean'), CLEAN);
    await writeFile(at('z.bin'), NOISE);
    const result = await scanPaths([folder]);
    expect(lines(result).toSorted()).toEqual([
      'a/b/clean clean',
      'a/notes.txt malicious pickle/dangerous-name',
      'z.bin unreadable file/unknown-format',
    ]);
    expect(result).toMatchObject({ schema: 'glacis.scan/1', verdict: 'malicious', passedOver: [] });
    expect(result.files).toHaveLength(4);
  });

  it('gives each file as soon as it is done', async () => {
    await writeFile(at('a.pkl'), CLEAN);
    await writeFile(at('b.pkl'), EVIL);
    const seen: string[] = [];
    const result = await scanPaths([folder], {
      onFile: ({ path, verdict }) => seen.push(`${path.at(-5)} ${verdict}`),
    });
    expect(seen).toEqual(['a clean', 'b malicious']);
    expect(result.files).toHaveLength(2);
  });

  it('takes a folder with a slash at its end, and a file alone', async () => {
    await writeFile(at('a.pkl'), CLEAN);
    expect(lines(await scanPaths([`${folder}/`]))).toEqual(['a.pkl clean']);
    expect(lines(await scanPaths([at('a.pkl')]))).toEqual(['a.pkl clean']);
  });

  it('follows no link that leads out, and reads what links inside lead to once', async () => {
    await mkdir(at('in'));
    await writeFile(at('out.pkl'), EVIL);
    await writeFile(at('in', 'a.pkl'), CLEAN);
    await symlink('a.pkl', at('in', 'same.pkl'));
    await symlink('../out.pkl', at('in', 'leads-out.pkl'));
    await symlink('nowhere', at('in', 'nowhere.pkl'));
    const result = await scanPaths([at('in')]);
    expect(lines(result)).toEqual([
      'in/leads-out.pkl unreadable file/not-opened',
      'in/nowhere.pkl unreadable file/not-opened',
      'in/a.pkl clean',
    ]);
    // A link that is named itself is meant.
    expect((await scanPaths([at('in', 'leads-out.pkl')])).verdict).toBe('malicious');
  });

  it('calls a file without the right to read it unreadable', async () => {
    await writeFile(at('a.pkl'), CLEAN);
    await chmod(at('a.pkl'), 0);
    // Root reads everything.
    const expected = process.getuid?.() === 0 ? 'a.pkl clean' : 'a.pkl unreadable file/not-opened';
    expect(lines(await scanPaths([folder]))).toEqual([expected]);
  });

  it('shows what is no regular file and what is not there, and waits for neither', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    expect(lines(await scanPaths([folder, at('missing')]))).toEqual([
      'pipe unreadable file/not-opened',
      'missing unreadable file/not-opened',
    ]);
    expect(lines(await scanPaths([at('pipe')]))).toEqual(['pipe unreadable file/not-opened']);
  });

  it('passes over what version control keeps, and says so', async () => {
    await mkdir(at('.git'));
    await writeFile(at('.git', 'object'), NOISE);
    const result = await scanPaths([folder]);
    expect(result).toMatchObject({ verdict: 'clean', passedOver: [at('.git')] });
    expect(summaryText(result)).toContain('not entered');
  });

  it('looks at the ends of a sparse file of ten gigabytes, and calls it unreadable', async () => {
    await writeFile(at('sparse.bin'), '');
    await truncate(at('sparse.bin'), 10 * 2 ** 30);
    expect(lines(await scanPaths([folder]))).toEqual(['sparse.bin unreadable file/unknown-format']);
  });

  it('gives the same result on every run', async () => {
    for (const name of ['b', 'a', 'c']) await writeFile(at(name), EVIL);
    expect(await scanPaths([folder])).toEqual(await scanPaths([folder]));
  });

  it('refuses no path and limits that are none', async () => {
    await expect(scanPaths([])).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(scanPaths([folder], { limits: { depth: 0 } })).rejects.toMatchObject({
      code: 'option/invalid',
    });
    await expect(scanPaths([folder], { limits: { deep: 1 } as object })).rejects.toMatchObject({
      code: 'option/unknown',
    });
  });

  it('stops when it is cancelled', async () => {
    await expect(scanPaths([folder], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'run/cancelled',
    });
  });
});

const budget = () => newBudget(DEFAULT_SCAN_LIMITS, () => performance.now());
const scanWith = (scan: Partial<SourceScan>): SourceScan => ({
  scanners: [],
  collectionScanners: [],
  file: 'x',
  budget: budget(),
  ...scan,
});

/** A scanner that does something to the file while it is read. */
const meddling = (meddle: () => Promise<unknown>): Scanner => ({
  id: 'meddling',
  title: '',
  rules: [],
  recognises: () => true,
  scan: async () => {
    await meddle();
  },
});

describe('scanFile', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['grows', () => appendFile(at('x'), 'more')],
    ['is cut', () => truncate(at('x'), 1)],
    ['is touched', () => utimes(at('x'), 1, 1)],
    [
      'is replaced',
      async () => {
        await writeFile(at('y'), 'words');
        await rename(at('y'), at('x'));
      },
    ],
    ['is removed', () => rm(at('x'))],
  ])('says so when the file %s while it is read', async (_, meddle) => {
    await writeFile(at('x'), 'words');
    const { verdict, findings } = await scanFile(at('x'), scanWith({ scanners: [meddling(meddle)] }));
    expect(verdict).toBe('unreadable');
    expect(findings.map(({ rule }) => rule.id)).toEqual(['file/changed']);
  });

  it('says nothing when it stays', async () => {
    await writeFile(at('x'), 'words');
    expect(await scanFile(at('x'), scanWith({ scanners: [meddling(async () => {})] }))).toMatchObject({
      verdict: 'clean',
    });
  });

  it('turns whatever a scanner throws into unreadable, and goes on with the others', async () => {
    await writeFile(at('x'), EVIL);
    const { pickleScanner } = await import('./pickle/scanner.ts');
    const failing = meddling(() => Promise.reject(new TypeError('a fault')));
    const { verdict, findings } = await scanFile(at('x'), scanWith({ scanners: [failing, pickleScanner] }));
    expect(verdict).toBe('malicious');
    expect(findings.map(({ rule }) => rule.id)).toEqual(['file/scanner-failed', 'pickle/dangerous-name']);
  });
});

describe('collections', () => {
  const vouching: CollectionScanner = {
    id: 'vouching',
    title: '',
    rules: [],
    recognises: ({ members }) => members.some(({ name }) => name === 'model'),
    scan: async (collection) => collection.vouch('weights/0.bin'),
  };

  it('tell a scanner every file below them', async () => {
    const seen: string[] = [];
    const collection = {
      kind: 'folder' as const,
      members: [{ name: 'model', size: 1 }],
      open: async () => Promise.reject(new Error('not asked')),
      vouch: (name: string) => seen.push(name),
    };
    const result = await scanCollection(collection, scanWith({ collectionScanners: [vouching] }));
    expect(result.formats).toEqual(['vouching']);
    expect(seen).toEqual(['weights/0.bin']);
  });
});

describe('the table', () => {
  it('shows verdict, rule, place and reason, and nothing of files that are no models', async () => {
    await writeFile(at('a.zip'), bytes(EVIL));
    const [file] = (await scanPaths([folder])).files;
    const text = fileText(file!);
    expect(text).toMatch(
      /^MALICIOUS .*a\.zip {2}\(pickle\)\n {4}critical {2}pickle\/dangerous-name {2}at byte \d+\n/,
    );
    expect(text).toContain('os.system, called with ("echo harmless")');
    await writeFile(at('a.zip'), 'words');
    const [plain] = (await scanPaths([folder])).files;
    expect(fileText(plain!)).toBe('');
  });

  it('lets no name write a line of its own', async () => {
    await writeFile(at('a\nclean     b'), EVIL);
    const [file] = (await scanPaths([folder])).files;
    expect(fileText(file!).split('\n')[0]).toMatch(/^MALICIOUS .*a\ufffdclean {5}b/);
  });

  it('counts by verdict', async () => {
    await writeFile(at('a'), EVIL);
    await writeFile(at('b'), CLEAN);
    await link(at('b'), at('c'));
    await writeFile(at('d'), 'words');
    expect(summaryText(await scanPaths([folder]))).toBe(
      '\nmalicious: 3 files (1 malicious, 2 clean), 1 more that are no models\n',
    );
  });
});
