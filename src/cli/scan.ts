import { glacisVersion } from '../assess/environment.ts';
import { GlacisError } from '../core/error.ts';
import { visible } from '../report/markup.ts';
import { sarifLog } from '../supply/finding/sarif.ts';
import { lookedAt } from '../supply/provenance/looked-at.ts';
import { type ScanResult, scanPaths } from '../supply/scan/scan-paths.ts';
import { fileText, summaryText } from '../supply/scan/scan-text.ts';
import { type Command, EXIT } from './command.ts';
import { prepareFile, writeText } from './output.ts';

/** `glacis scan`: models that harm whoever loads them. */
export const command: Command = {
  usage: 'scan PATH… [options]',
  about:
    'Looks for models that run code, reach for files or deceive their readers when they are loaded: by content and not by name, through archives and compressions, without loading anything. Leaves with 1 when something is suspicious or malicious, else with 2 when something could not be read. docs/scanning.md explains every rule.',
  options: {
    json: { value: 'FILE', help: 'the result as JSON, with time and digest of the model' },
    sarif: { value: 'FILE', help: 'the result as SARIF 2.1.0, for code scanning' },
    'safe-rewrite': {
      value: 'FILE',
      help: 'write the tensors of one PyTorch checkpoint as safetensors, without loading it',
    },
    seconds: { value: 'N', help: 'most seconds for one file, after which it is unreadable (600)' },
    threads: {
      value: 'N',
      help: 'threads that scan, some 50 MB each; one a core, at most four, unless given',
    },
  },
  examples: [
    ['glacis scan model.pt', 'before anybody loads it'],
    ['glacis scan model.pt --safe-rewrite model.safetensors', 'its tensors, without its pickle'],
    ['glacis scan downloads/ --sarif scan.sarif', 'everything below a folder, for code scanning'],
  ],
  async run({ given, terminal, signal }) {
    const [json, sarif, safe] = [given.text('json'), given.text('sarif'), given.text('safe-rewrite')];
    if (given.positionals.length === 0)
      throw new GlacisError('option/invalid', 'scan: expected at least one PATH, got none');
    if (safe !== undefined && given.positionals.length !== 1)
      throw new GlacisError('option/invalid', 'scan: expected one PATH with --safe-rewrite, got several');
    for (const file of [json, sarif, safe]) if (file !== undefined) await prepareFile(file);
    const seconds = given.whole('seconds', 1);
    const threads = given.whole('threads', 1);
    const scan = () =>
      scanPaths(given.positionals, {
        ...(seconds !== undefined && { limits: { seconds } }),
        threads,
        // Names come from files: control characters must not reach the terminal.
        onFile: (file) => terminal.print(visible(fileText(file))),
        progress: (update) =>
          terminal.progress({ ...update, ...(update.note !== undefined && { note: oneLine(update.note) }) }),
        signal,
      });
    // Time and digest are for statements about the model; hashing for nobody would cost as much as many a scan.
    const covers = (name: string) => !name.split('/').includes('.git');
    const result =
      json === undefined
        ? await scan()
        : await lookedAt(given.positionals, { covers, now: () => new Date(), signal }, scan);
    terminal.print(visible(summaryText(result)));
    if (json !== undefined) await writeText(json, `${JSON.stringify(result, null, 2)}\n`);
    if (sarif !== undefined) await writeText(sarif, await sarifOf(result));
    if (safe !== undefined) {
      const { rewriteCheckpoint } = await import('../supply/scan/rewrite/rewrite.ts');
      const { tensors, bytes, left } = await rewriteCheckpoint(given.positionals[0]!, safe, signal);
      for (const { name, reason } of left) terminal.say(`Left out: ${name}: ${reason}`);
      terminal.say(`${tensors} tensors, ${bytes} bytes: ${safe}`);
    }
    return exitCode(result);
  },
};

/** A name on a progress line, which is written over. */
function oneLine(name: string): string {
  return visible(name).replaceAll(/[\n\t]/g, '\ufffd');
}

async function sarifOf({ files }: ScanResult): Promise<string> {
  const { RULES } = await import('../supply/scan/registry.ts');
  const findings = files.flatMap((file) => file.findings);
  return sarifLog({
    command: 'scan',
    version: glacisVersion(),
    rules: RULES,
    findings,
    unread: findings
      .filter(({ verdict }) => verdict === 'unreadable')
      .map(({ where, what }) => ({ path: where.path, reason: what })),
  });
}

/** What was seen outweighs what could not be seen; only clean is good. */
function exitCode({ verdict }: ScanResult): number {
  switch (verdict) {
    case 'clean':
      return EXIT.good;
    case 'unreadable':
      return EXIT.wrongUse;
    default:
      return EXIT.negative;
  }
}
