import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findSecrets } from '../find-secrets.ts';
import { temporaryFolder } from '../temporary-folder.fixture.ts';
import { SAMPLES, tokenSource } from '../tokens.fixture.ts';
import { gitHistory } from './history.ts';
import { stagedFiles } from './staged.ts';

const t = tokenSource(21);
const token = SAMPLES['huggingface-token']!(t)[0];
const other = SAMPLES['replicate-token']!(t)[0];

const folder = temporaryFolder();
const { lay } = folder;

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', ...args], {
    cwd: folder.path,
    stdio: 'pipe',
  })
    .toString()
    .trim();

describe('staged files', () => {
  it('are looked at as they will be committed, not as they lie on the disk', async () => {
    git('init', '-q');
    lay('a b.txt', `x ${token}\n`);
    lay('-n.txt', `x ${other}\n`);
    git('add', '--', '.');
    lay('a b.txt', 'clean now\n');
    lay('unstaged.txt', token);
    const { findings, files } = await findSecrets({ given: await stagedFiles(folder.path) });
    expect(files).toBe(2);
    expect(findings.map(({ where }) => where.path).sort()).toEqual(['-n.txt', 'a b.txt']);
  });

  it('outside of a repository are an error', async () => {
    await expect(stagedFiles(folder.path)).rejects.toMatchObject({ code: 'data/unreadable' });
  });
});

describe('the history of a repository', () => {
  const found = async () => {
    const { findings, files, unread } = await findSecrets({ given: gitHistory(folder.path) });
    expect(unread).toEqual([]);
    return { files, at: findings.map(({ where }) => `${where.path}, ${where.place}, line ${where.line}`) };
  };

  it('gives what was taken out again, once, with the commit that brought it and its path', async () => {
    git('init', '-q');
    lay('a folder/key.txt', `x\n${token}\n`);
    lay('copy.txt', `x\n${token}\n`);
    git('add', '.');
    git('commit', '-qm', 'first');
    const first = git('rev-parse', 'HEAD');
    lay('notes', 'more');
    git('rm', '-q', 'a folder/key.txt');
    git('add', '.');
    git('commit', '-qm', 'second');
    // Two files of the same content are one object; messages count as two more.
    const { files, at } = await found();
    expect(at).toEqual([
      expect.stringMatching(`^(a folder/key|copy)\\.txt, commit ${first.slice(0, 12)}, line 2$`),
    ]);
    expect(files).toBe(4);
    git('gc', '-q');
    expect((await found()).at).toEqual(at);
  });

  it('holds messages, other branches, the stash, and what no branch has any more', async () => {
    git('init', '-q');
    lay('a', 'one');
    git('add', '.');
    git('commit', '-qm', `uses ${token}`);
    git('tag', '-a', 'v1', '-m', `tagged ${token}`);
    lay('a', `stashed ${other}`);
    git('stash', '-q');
    lay('b', `amended ${token}`);
    git('add', '.');
    git('commit', '-qm', 'with');
    git('reset', '-q', '--hard', 'HEAD^');
    lay('lost', `never committed ${other}`);
    git('add', 'lost');
    git('rm', '-q', '--cached', 'lost');
    const places = (await found()).at.map((at) => at.replace(/ [0-9a-f]{12}, line \d+/, ''));
    expect([...new Set(places)].sort()).toEqual([
      'a, commit',
      'b, commit',
      'lost objects, object',
      'messages, commit',
      'messages, tag',
    ]);
  });

  it('is read without running what the repository names, and whatever replaces its objects', async () => {
    git('init', '-q');
    lay('a', `x ${token}`);
    git('add', '.');
    git('commit', '-qm', 'first');
    lay('clean', 'x');
    const clean = git('hash-object', '-w', 'clean');
    git('replace', git('rev-parse', 'HEAD:a'), clean);
    const trap = `touch '${join(folder.path, 'ran')}'`;
    for (const name of ['core.fsmonitor', 'diff.external', 'core.pager', 'gpg.program', 'diff.x.textconv'])
      git('config', name, trap);
    git('config', 'log.showSignature', 'true');
    lay('.gitattributes', '* diff=x');
    expect((await found()).at).toHaveLength(1);
    expect(existsSync(join(folder.path, 'ran'))).toBe(false);
  });

  it('of no repository is an error, and a damaged one is', async () => {
    const read = () => findSecrets({ given: gitHistory(folder.path) });
    await expect(read()).rejects.toMatchObject({ code: 'data/unreadable' });
    git('init', '-q');
    lay('a', `x ${token}`);
    git('add', '.');
    git('commit', '-qm', 'first');
    const id = git('rev-parse', 'HEAD:a');
    const object = join(folder.path, '.git', 'objects', id.slice(0, 2), id.slice(2));
    chmodSync(object, 0o600);
    writeFileSync(object, 'damaged');
    await expect(read()).rejects.toMatchObject({ code: 'data/unreadable' });
  });

  it('can be cancelled', async () => {
    git('init', '-q');
    const given = gitHistory(folder.path, AbortSignal.abort());
    await expect(findSecrets({ given })).rejects.toMatchObject({ code: 'run/cancelled' });
  });
});
