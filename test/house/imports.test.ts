import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { FLOORS, importProblem, TIES } from './floors.ts';
import { filesUnder, ROOT } from './tree.ts';

/** The sources that ship: no tests (a test may reach up, e.g. to run the graph that a transform made). */
const sources = filesUnder('src').filter(
  (f) => f.endsWith('.ts') && !f.endsWith('.test.ts') && !f.endsWith('.d.ts'),
);

/** `src/<folder>` of a path, or `undefined` for a file directly in src or elsewhere. */
function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

/** The specifiers that `file` imports, exports from or loads dynamically, as the compiler reads them. */
function specifiersOf(file: string): readonly string[] {
  return ts
    .preProcessFile(readFileSync(join(ROOT, file), 'utf8'), true, true)
    .importedFiles.map((i) => i.fileName);
}

/** `file imports target: why not` for each relative import of a source that breaks the floors. */
function problems(): readonly string[] {
  return sources.flatMap((file) =>
    specifiersOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .flatMap((specifier) => {
        const target = posix.join(posix.dirname(file), specifier);
        const [from, to] = [folderOf(file), folderOf(target)];
        if (from === undefined) return [];
        const problem = to === undefined ? 'leaves src' : importProblem(from, to);
        return problem === undefined ? [] : [`${file} imports ${target}: ${problem}`];
      }),
  );
}

describe('import directions', () => {
  it('finds sources and their imports', () => {
    expect(sources).toContain('src/core/error.ts');
    expect(specifiersOf('src/core/cancel.ts')).toEqual(['./error.ts']);
  });

  it('gives every folder of src a floor', () => {
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(folders.map((entry) => entry.name).filter((name) => FLOORS[name] === undefined)).toEqual([]);
  });

  it('points downwards, or along a listed tie, in every source', () => {
    expect(problems()).toEqual([]);
  });

  it('refuses an upward import, an unlisted tie, a reversed tie, an unknown folder and a forbidden import', () => {
    expect(importProblem('core', 'onnx')).toMatch(/tie inside floor 0/);
    expect(importProblem('transform', 'runtime')).toMatch(/from floor 1 up to 2/);
    expect(importProblem('assess', 'report')).toMatch(/tie inside floor 6/);
    expect(importProblem('somewhere', 'core')).toMatch(/has no floor/);
    expect(importProblem('gateway', 'attack')).toMatch(/must not carry attacks/);
    expect(importProblem('assess', 'attack')).toBeUndefined();
  });

  it('lists only ties that join two folders of one floor', () => {
    for (const tie of TIES) {
      const [from, to] = tie.split('→') as [string, string];
      expect(FLOORS[from], tie).toBeDefined();
      expect(FLOORS[from], tie).toBe(FLOORS[to]);
      expect(TIES.has(`${to}→${from}`), `${tie} and its reverse`).toBe(false);
    }
  });
});
