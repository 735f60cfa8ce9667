import { EVASION_ATTACKS } from '../attack/registry.ts';
import { GlacisError } from '../core/error.ts';
import { suggestion } from '../core/options.ts';
import { trustFrom } from '../policy/evidence/trust.ts';
import { ACCESSES, ATTACKERS, STAKES } from '../policy/init/threat-model.ts';
import { readPolicyFile } from '../policy/policy-file.ts';
import type { Policy } from '../policy/read-policy.ts';
import { adviceOn, explainPolicy } from '../policy/report/explain.ts';
import { policyJsonSchema } from '../policy/schema/json-schema.ts';
import { visible } from '../report/markup.ts';
import { fingerprintOf } from '../supply/sign/ec-key.ts';
import { type Command, type CommandRun, EXIT } from './command.ts';
import { prepareFile, writeText } from './output.ts';
import { initPolicy } from './policy-init.ts';
import { readKey } from './read-key.ts';

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
        none('init', files);
        return initPolicy(run);
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

async function check({ given, terminal }: CommandRun, files: readonly string[]): Promise<number> {
  const json = given.text('json');
  if (json !== undefined) await prepareFile(json);
  const checked: object[] = [];
  for (const file of some('check', files)) {
    const { policy, digest } = await readPolicyFile(file);
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
    const { policy } = await readPolicyFile(file);
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
