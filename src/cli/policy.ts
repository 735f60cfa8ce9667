import { access } from 'node:fs/promises';
import { stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { EVASION_ATTACKS } from '../attack/registry.ts';
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
import { type Policy, parsePolicy } from '../policy/read-policy.ts';
import { adviceOn, explainPolicy } from '../policy/report/explain.ts';
import { policyJsonSchema } from '../policy/schema/json-schema.ts';
import { visible } from '../report/markup.ts';
import { fingerprintOf } from '../supply/sign/ec-key.ts';
import type { Given } from './args.ts';
import { type Command, type CommandRun, EXIT } from './command.ts';
import { readPolicy } from './gate.ts';
import { prepareFile, writeText } from './output.ts';
import { readKey } from './signer-from.ts';

const ACTIONS = ['init', 'check', 'explain', 'key', 'schema'] as const;

/** `glacis policy`: the file that says which evidence a model needs. */
export const command: Command = {
  usage: `policy ${ACTIONS.join('|')} [FILE…] [options]`,
  about:
    'Makes, checks and explains policies (docs/policy.md). init asks who attacks, with what access and what is at stake, and writes a commented glacis.yaml; without a terminal, answers come from options. check reads a policy as the gate does; explain says in sentences what it asks for; key prints the fingerprint of a public key or certificate; schema prints the JSON Schema for editors.',
  options: {
    attacker: { value: 'WHO', help: `init: ${Object.keys(ATTACKERS).join(', ')}; several with commas` },
    access: { value: 'WHAT', help: `init: ${Object.keys(ACCESSES).join(', ')}; several with commas` },
    stake: { value: 'WHAT', help: `init: ${Object.keys(STAKES).join(', ')}; several with commas` },
    norm: { value: 'NORM', help: 'init: what a change is measured in: linf (unless given), l2, l1, l0' },
    eps: { value: 'EPS', help: 'init: how much an attacker may change, e.g. 8/255 (unless given)' },
    models: { value: 'PATTERN', help: 'init: which models, by name with * (all unless given)' },
    release: { value: 'FILE', help: 'init: public key (PEM) of who signs releases' },
    ci: { value: 'FILE', help: 'init: public key (PEM) of who signs evidence' },
    out: { value: 'FILE', help: 'init, schema: where to write; init writes glacis.yaml unless given' },
    json: { value: 'FILE', help: 'check: what was found as JSON' },
    taxonomy: { help: 'explain: with what MITRE ATLAS, OWASP and NIST call each threat' },
  },
  examples: [
    ['glacis policy init', 'a first glacis.yaml, after three questions'],
    [
      'glacis policy init --attacker outsider,supplier --access scores --stake money --ci ci.pub',
      'the same without questions',
    ],
    ['glacis policy check glacis.yaml', 'before it is merged'],
    ['glacis policy explain glacis.yaml --taxonomy', 'for those who do not read YAML'],
    ['glacis policy key ci.pub', 'what a signer is named by in a policy'],
  ],
  async run(run) {
    const [action, ...files] = run.given.positionals;
    switch (action as (typeof ACTIONS)[number] | undefined) {
      case 'init':
        return init(run, files);
      case 'check':
        return check(run, files);
      case 'explain':
        return explain(run, files);
      case 'key':
        return key(run, files);
      case 'schema':
        return schema(run, files);
    }
    throw new GlacisError(
      'option/invalid',
      `policy: expected ${ACTIONS.join(', ')}, got '${action ?? ''}'${suggestion(action ?? '', ACTIONS)}`,
    );
  },
};

async function init({ given, terminal, signal }: CommandRun, rest: readonly string[]): Promise<number> {
  none('init', rest);
  const out = given.text('out') ?? 'glacis.yaml';
  await prepareFile(out);
  if (await exists(out))
    throw new GlacisError(
      'output/unwritable',
      `${out}: expected no file there, got one; name another with --out`,
    );
  const ask = stdin.isTTY && stdout.isTTY ? asker(signal) : undefined;
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

async function check({ given, terminal }: CommandRun, files: readonly string[]): Promise<number> {
  const json = given.text('json');
  if (json !== undefined) await prepareFile(json);
  const checked: object[] = [];
  for (const file of some('check', files)) {
    const { policy, digest } = await readPolicy(file);
    const advice = [...adviceOn(policy, Date.now()), ...unknownAttacks(policy)];
    const stages = new Set(policy.entries.flatMap((entry) => Object.keys(entry.stages)));
    checked.push({ file, digest, entries: policy.entries.length, stages: [...stages], notes: advice });
    terminal.print(
      visible(
        [
          `${file}  well-formed: ${policy.entries.length} ${policy.entries.length === 1 ? 'entry' : 'entries'}, stages ${[...stages].join(', ')}`,
          `  ${digest}`,
          ...advice.map((each) => `  note: ${each}`),
          '',
        ].join('\n'),
      ),
    );
  }
  if (json !== undefined)
    await writeText(
      json,
      `${JSON.stringify({ schema: 'glacis.policy-check/1', files: checked }, null, 2)}\n`,
    );
  return EXIT.good;
}

/** Attacks that no assessment of this version can have run: a typing error, or one of another tool. */
function unknownAttacks({ entries }: Policy): readonly string[] {
  const known: readonly string[] = EVASION_ATTACKS.map(({ id }) => id);
  return entries
    .flatMap(({ stages }) => Object.values(stages).flat())
    .flatMap((each) => (each.require === 'robustAccuracy' ? (each.attacks ?? []) : []))
    .map((spec) => spec.replace(/\(.*$/, ''))
    .filter((name) => !known.includes(name))
    .map((name) => `there is no attack ${name} in this version${suggestion(name, known)}`);
}

async function explain({ given, terminal }: CommandRun, files: readonly string[]): Promise<number> {
  for (const file of some('explain', files)) {
    const { policy } = await readPolicy(file);
    terminal.print(visible(explainPolicy(policy, { taxonomy: given.flag('taxonomy') })));
  }
  return EXIT.good;
}

async function key({ terminal }: CommandRun, files: readonly string[]): Promise<number> {
  for (const file of some('key', files)) {
    const { keys, certificates } = trustFrom(await readKey(file), file);
    for (const each of keys) terminal.print(`sha256:${fingerprintOf(each)}  ${file}\n`);
    for (const { x509 } of certificates) {
      const subject = x509.subject.replaceAll('\n', ', ');
      terminal.print(visible(`${digestOfCertificate(x509.fingerprint256)}  ${subject}\n`));
    }
  }
  return EXIT.good;
}

async function schema({ given, terminal }: CommandRun, rest: readonly string[]): Promise<number> {
  none('schema', rest);
  const text = `${JSON.stringify(policyJsonSchema(), null, 2)}\n`;
  const out = given.text('out');
  if (out === undefined) terminal.print(text);
  else {
    await prepareFile(out);
    await writeText(out, text);
    terminal.say(`Schema: ${out}`);
  }
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

/** Asks on the terminal. Errors: `run/cancelled` on Ctrl-C and at the end of the input. */
function asker(signal: AbortSignal): (text: string) => Promise<string> {
  return async (text) => {
    const lines = createInterface({ input: stdin, output: stdout });
    try {
      return await new Promise<string>((resolve, reject) => {
        const cancel = () => reject(new GlacisError('run/cancelled', 'policy init: cancelled'));
        lines.once('SIGINT', cancel);
        lines.once('close', cancel);
        lines.question(text, { signal }).then(resolve, cancel);
      });
    } finally {
      lines.close();
    }
  };
}

async function fingerprint(given: Given, name: string): Promise<Readonly<Record<string, string>>> {
  const file = given.text(name);
  if (file === undefined) return {};
  const [first] = trustFrom(await readKey(file), file).keys;
  if (!first) throw new GlacisError('key/unusable', `${file}: expected a public key, got certificates`);
  return { [name]: `sha256:${fingerprintOf(first)}` };
}

function digestOfCertificate(fingerprint256: string): string {
  return `sha256:${fingerprint256.replaceAll(':', '').toLowerCase()}`;
}

function some(action: string, files: readonly string[]): readonly string[] {
  if (files.length === 0)
    throw new GlacisError('option/invalid', `policy ${action}: expected FILE, got nothing`);
  return files;
}

function none(action: string, rest: readonly string[]): void {
  if (rest.length > 0)
    throw new GlacisError(
      'option/invalid',
      `policy ${action}: expected no FILE, got '${rest[0]}'; see --out`,
    );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
