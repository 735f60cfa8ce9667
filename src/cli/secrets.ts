import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { glacisVersion } from '../assess/environment.ts';
import { GlacisError } from '../core/error.ts';
import { visible } from '../report/markup.ts';
import { sarifLog } from '../supply/finding/sarif.ts';
import { lookedAt } from '../supply/provenance/looked-at.ts';
import { type BaselineEntry, baselineToJson, readBaseline } from '../supply/secrets/baseline.ts';
import { findSecrets } from '../supply/secrets/find-secrets.ts';
import { gitHistory } from '../supply/secrets/git/history.ts';
import { stagedFiles } from '../supply/secrets/git/staged.ts';
import { stripNotebook } from '../supply/secrets/notebook/strip.ts';
import { secretsSarifRules } from '../supply/secrets/sarif-rules.ts';
import { secretsText } from '../supply/secrets/text.ts';
import { isLookedAt } from '../supply/secrets/walk.ts';
import { type Command, type CommandRun, EXIT } from './command.ts';
import { prepareFile, writeText } from './output.ts';

/** `glacis secrets`: keys and passwords that lie in files. */
export const command: Command = {
  usage: 'secrets PATH… [options]',
  about:
    'Looks for keys, tokens and passwords in notebooks (cell by cell, outputs included), source, configuration, what people write into models, and archives of all that. Never prints a secret. Leaves with 1 when there is one, with 2 when a file could not be read. A comment glacis:allow-secret on the line, or the line above, allows one.',
  options: {
    json: { value: 'FILE', help: 'the result as JSON, with time and digest of what was looked at' },
    sarif: { value: 'FILE', help: 'the result as SARIF 2.1.0, for code scanning' },
    baseline: { value: 'FILE', help: 'secrets that are known and not reported again' },
    'write-baseline': { value: 'FILE', help: 'write what is found as a baseline (fingerprints, no secrets)' },
    staged: { help: 'look at what Git is about to commit, as it will be committed; no PATH' },
    history: {
      help: 'look at everything that Git keeps of the repository PATH (branches, tags, stash, reflog, lost objects), not at its files',
    },
    'strip-notebook': {
      help: 'first take outputs, execution counts and widget state out of the notebooks given, in place',
    },
  },
  examples: [
    ['glacis secrets .', 'everything below this folder'],
    ['glacis secrets --staged', 'as a pre-commit hook: only what is about to be committed'],
    ['glacis secrets . --history', 'every version of every file that was ever committed'],
    ['glacis secrets . --write-baseline .secrets.json', 'accept what is there today …'],
    ['glacis secrets . --baseline .secrets.json', '… and report only what is new'],
    ['glacis secrets --strip-notebook train.ipynb', 'a notebook without outputs, and then without secrets'],
  ],
  async run(run) {
    const { given, terminal, signal } = run;
    const staged = given.flag('staged');
    const paths = given.positionals;
    if (staged === paths.length > 0)
      throw new GlacisError(
        'option/invalid',
        staged
          ? `secrets: expected --staged or PATH, got both`
          : 'secrets: expected at least one PATH, or --staged, got none',
      );
    const history = given.flag('history');
    if (history && (paths.length !== 1 || given.flag('strip-notebook')))
      throw new GlacisError(
        'option/invalid',
        'secrets: expected --history with one PATH and nothing to strip, got something else',
      );
    const [json, sarif, write] = [given.text('json'), given.text('sarif'), given.text('write-baseline')];
    for (const file of [json, sarif, write]) if (file !== undefined) await prepareFile(file);
    if (given.flag('strip-notebook')) await strip(run);
    const known = given.text('baseline');
    const baseline = known === undefined ? undefined : await readBaseline(known);
    const entries: BaselineEntry[] = [];
    // A new baseline keeps the old one's salt, so that its diff shows what changed.
    const salt = baseline?.salt ?? randomBytes(16).toString('hex');
    const what = staged
      ? { given: await stagedFiles('.', signal) }
      : history
        ? { given: gitHistory(paths[0]!, signal) }
        : paths;
    const find = () =>
      findSecrets(what, {
        ...(baseline !== undefined && write === undefined && { baseline }),
        ...(write !== undefined && { record: { salt, add: (entry) => entries.push(entry) } }),
        // Names of files may hold control characters.
        progress: (update) =>
          terminal.progress({ ...update, ...(update.note !== undefined && { note: visible(update.note) }) }),
        signal,
      });
    const result =
      json === undefined || 'given' in what
        ? await find()
        : await lookedAt(what, { covers: isLookedAt, now: () => new Date(), signal }, find);
    const { findings, unread } = result;
    if (json !== undefined) await writeText(json, `${JSON.stringify(result, null, 2)}\n`);
    if (sarif !== undefined)
      await writeText(
        sarif,
        sarifLog({
          command: 'secrets',
          version: glacisVersion(),
          rules: secretsSarifRules(),
          findings,
          unread,
        }),
      );
    if (write !== undefined) {
      await writeText(write, baselineToJson({ salt, entries }));
      terminal.say(`${findings.length} secrets are in ${write} now; make them invalid all the same.`);
      return unread.length > 0 ? EXIT.wrongUse : EXIT.good;
    }
    // Paths and places come from files: control characters must not reach the terminal.
    terminal.print(visible(secretsText(result)));
    if (findings.length > 0) return EXIT.negative;
    return unread.length > 0 ? EXIT.wrongUse : EXIT.good;
  },
};

/** Strips the notebooks given. Nothing is written before all of them are read. */
async function strip({ given, terminal }: CommandRun): Promise<void> {
  if (given.flag('staged'))
    throw new GlacisError('option/invalid', 'secrets: expected --strip-notebook with PATH, got --staged');
  const stripped = await Promise.all(
    given.positionals.map(async (path) => {
      const text = await readFile(path, 'utf8').catch((thrown: Error) => {
        throw new GlacisError('data/unreadable', `${path}: ${thrown.message}`, { cause: thrown });
      });
      return { path, text, without: stripNotebook(text, path) };
    }),
  );
  for (const { path, text, without } of stripped) {
    if (text === without) continue;
    await writeText(path, without);
    terminal.say(`Stripped: ${path}`);
  }
}
