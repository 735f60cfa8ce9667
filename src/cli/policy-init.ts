import { access } from 'node:fs/promises';
import { stdin, stdout } from 'node:process';
import { GlacisError } from '../core/error.ts';
import { suggestion } from '../core/options.ts';
import { trustFrom } from '../policy/evidence/trust.ts';
import {
  ACCESSES,
  type Access,
  ATTACKERS,
  type Attacker,
  STAKES,
  type Stake,
  type ThreatModel,
} from '../policy/init/threat-model.ts';
import { writePolicy } from '../policy/init/write-policy.ts';
import { parsePolicy } from '../policy/read-policy.ts';
import { visible } from '../report/markup.ts';
import { fingerprintOf } from '../supply/sign/ec-key.ts';
import type { Given } from './args.ts';
import { askLine } from './ask-line.ts';
import { type CommandRun, EXIT } from './command.ts';
import { prepareFile, writeText } from './output.ts';
import { readKey } from './read-key.ts';

/** Writes a first policy from the answers to three questions, which come from options or from the terminal. */
export async function initPolicy({ given, terminal, signal }: CommandRun): Promise<number> {
  const out = given.text('out') ?? 'glacis.yaml';
  await prepareFile(out);
  if (await exists(out))
    throw new GlacisError(
      'output/unwritable',
      `${out}: expected no file there, got one; name another with --out`,
    );
  const ask =
    stdin.isTTY && stdout.isTTY
      ? (text: string) => askLine(text, { output: stdout, signal, where: 'policy init' })
      : undefined;
  const model: ThreatModel = {
    attackers: (await answers(given, 'attacker', 'Who attacks?', ATTACKERS, ask)) as readonly Attacker[],
    access: (await answers(given, 'access', 'What do they have?', ACCESSES, ask)) as readonly Access[],
    stakes: (await answers(given, 'stake', 'What is at stake?', STAKES, ask)) as readonly Stake[],
    norm: given.choice('norm', ['linf', 'l2', 'l1', 'l0']) ?? 'linf',
    eps: given.text('eps') ?? '8/255',
    models: given.text('models') ?? '*',
    signers: {
      ...(await fingerprint(given, 'release')),
      ...(await fingerprint(given, 'ci')),
    },
  };
  const text = writePolicy(model);
  // What was just written must be what the gate reads: an odd --eps or --models shows here.
  parsePolicy(text, out);
  await writeText(out, text);
  terminal.print(`${out}\n`);
  const missing = ['release', 'ci'].filter((name) => given.text(name) === undefined);
  if (missing.length > 0)
    terminal.say(`Fill in the fingerprints of ${missing.join(' and ')} (glacis policy key FILE.pub).`);
  terminal.say(`Then: glacis policy check ${out}`);
  return EXIT.good;
}

/** The answers to one question: from the option, else from the terminal. Errors: `option/invalid`. */
async function answers(
  given: Given,
  option: string,
  question: string,
  choices: Readonly<Record<string, string>>,
  ask: ((text: string) => Promise<string>) | undefined,
): Promise<readonly string[]> {
  const names = Object.keys(choices);
  const text = given.text(option);
  if (text !== undefined) return chosen(option, text, names);
  if (!ask)
    throw new GlacisError(
      'option/invalid',
      `--${option}: expected ${names.join(', ')}, got nothing (there is no terminal to ask on)`,
    );
  const list = names.map((name, i) => `  ${i + 1}. ${name.padEnd(10)} ${choices[name]}`).join('\n');
  for (;;) {
    const answer = (await ask(`${question}\n${list}\nOne or several, with commas: `)).trim();
    const words = answer
      .split(/[\s,]+/)
      .map((word) => (/^\d+$/.test(word) ? (names[Number(word) - 1] ?? word) : word));
    try {
      return chosen(option, words.join(','), names);
    } catch (thrown) {
      if (!(thrown instanceof GlacisError)) throw thrown;
      stdout.write(`${visible(thrown.message)}\n`);
    }
  }
}

function chosen(option: string, text: string, names: readonly string[]): readonly string[] {
  const words = [...new Set(text.split(',').map((word) => word.trim()))];
  const wrong = words.find((word) => !names.includes(word));
  if (wrong !== undefined)
    throw new GlacisError(
      'option/invalid',
      `--${option}: expected ${names.join(', ')}, got '${wrong}'${suggestion(wrong, names)}`,
    );
  return words;
}

async function fingerprint(given: Given, name: string): Promise<Readonly<Record<string, string>>> {
  const file = given.text(name);
  if (file === undefined) return {};
  const [first] = trustFrom(await readKey(file), file).keys;
  if (!first) throw new GlacisError('key/unusable', `${file}: expected a public key, got certificates`);
  return { [name]: `sha256:${fingerprintOf(first)}` };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
