import { lstat, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { GlacisError } from '../core/error.ts';
import { openEvidence } from '../policy/evidence/open-evidence.ts';
import { readEvidence } from '../policy/evidence/read-statement.ts';
import { trustFrom } from '../policy/evidence/trust.ts';
import { decide } from '../policy/gate/decide.ts';
import { readPolicyFile } from '../policy/policy-file.ts';
import { unknownStage } from '../policy/read-policy.ts';
import { gateText } from '../policy/report/text.ts';
import { anchorOf, type BundleIndex } from '../registry/bundle/index-file.ts';
import { unpackBundle } from '../registry/bundle/read-bundle.ts';
import { writeBundle } from '../registry/bundle/write-bundle.ts';
import { visible } from '../report/markup.ts';
import { type Command, type CommandRun, EXIT } from './command.ts';
import { trustIn } from './gate.ts';
import { prepareFile, prepareFolder, writeText } from './output.ts';
import { readKey } from './read-key.ts';

/** `glacis bundle`: a model with all that speaks for it, in one file, for a machine without network. */
export const command: Command = {
  usage: 'bundle make MODEL --out FILE | bundle verify FILE --stage STAGE [options]',
  about:
    'make packs a model, its signatures and statements, the policy, and the keys and roots to check them with into one file (a tar archive), and prints its anchor: the digest of policy and trust. verify decides by that policy whether the model in the file may pass, without network. Policy and trust come from the file when the anchor is the one that you give, otherwise from --policy and --trust: a file cannot vouch for itself. With --out the model is unpacked when it passes.',
  options: {
    out: { value: 'PATH', help: 'make: the bundle; verify: a new folder for the model' },
    name: { value: 'NAME', help: "make: what the policy calls the model; its file's name unless given" },
    evidence: { value: 'FILE', help: 'make: signatures and statements', many: true },
    policy: { value: 'FILE', help: 'make: the policy, glacis.yaml unless given; verify: your own' },
    trust: { value: 'FILE', help: 'public keys, certificates or a trusted root of Sigstore', many: true },
    'ignore-paths': { value: 'PATH', help: 'make: leave this out of the model', many: true },
    anchor: { value: 'DIGEST', help: 'verify: what make printed' },
    stage: { value: 'STAGE', help: 'verify: the stage that the model is to enter' },
    json: { value: 'FILE', help: 'the result as JSON' },
  },
  examples: [
    [
      'glacis bundle make model.onnx --evidence model.sig --policy glacis.yaml --trust ci.pub --out model.bundle',
      'pack it where there is a network',
    ],
    [
      'glacis bundle verify model.bundle --stage production --anchor sha256:… --out model',
      'decide, and unpack, where there is none',
    ],
  ],
  async run(run) {
    const [verb, path, ...rest] = run.given.positionals;
    if ((verb !== 'make' && verb !== 'verify') || path === undefined || rest.length > 0)
      throw new GlacisError(
        'option/invalid',
        `bundle: expected make MODEL or verify FILE, got '${run.given.positionals.join(' ')}'`,
      );
    const json = run.given.text('json');
    if (json !== undefined) await prepareFile(json);
    return verb === 'make' ? make(run, path, json) : verify(run, path, json);
  },
};

async function make(
  { given, terminal, signal }: CommandRun,
  model: string,
  json: string | undefined,
): Promise<number> {
  const out = given.text('out');
  if (out === undefined)
    throw new GlacisError('option/invalid', '--out: expected the FILE to write, got nothing');
  await prepareFile(out);
  const policy = given.text('policy') ?? 'glacis.yaml';
  await readPolicyFile(policy);
  const trust = given.texts('trust');
  await Promise.all(trust.map(async (file) => trustFrom(await readKey(file), file)));
  const { index, anchor } = await writeBundle(out, {
    model,
    name: given.text('name') ?? basename(resolve(model)),
    evidence: given.texts('evidence'),
    policy,
    trust,
    ignorePaths: given.texts('ignore-paths'),
    signal,
  });
  if (json !== undefined)
    await writeText(
      json,
      `${JSON.stringify({ schema: 'glacis.bundle.made/1', bundle: out, anchor, index }, null, 2)}\n`,
    );
  terminal.print(`${anchor}  anchor of ${out}\n`);
  terminal.say('Tell the other side the anchor by another way than the file.');
  return EXIT.good;
}

async function verify(run: CommandRun, path: string, json: string | undefined): Promise<number> {
  const { given, terminal, signal } = run;
  const stage = given.text('stage');
  if (stage === undefined)
    throw new GlacisError('option/invalid', '--stage: expected the stage to enter, got nothing');
  const out = given.text('out');
  if (out !== undefined) {
    await prepareFolder(dirname(resolve(out)));
    if (await lstat(out).catch(() => undefined))
      throw new GlacisError(
        'output/unwritable',
        `${out}: expected a place where nothing is, got something that exists`,
      );
  }
  // Beside the target, so that the model gets its place in one step.
  const folder = await mkdtemp(
    out === undefined ? join(tmpdir(), 'glacis-bundle-') : join(dirname(resolve(out)), '.glacis-bundle-'),
  );
  try {
    const index = await unpackBundle(path, folder, signal);
    const { policy: policyFile, trust: trustFiles } = believed(run, index, folder, path);
    const { policy, digest } = await readPolicyFile(policyFile);
    if (!policy.entries.some(({ stages }) => Object.hasOwn(stages, stage))) throw unknownStage(policy, stage);
    const now = Date.now();
    const model = join(
      folder,
      index.single ? index.files.find(({ part }) => part === 'model')!.path : 'model',
    );
    const opened = await openEvidence(model, {
      paths: index.files.filter(({ part }) => part === 'evidence').map((file) => join(folder, file.path)),
      trust: await trustIn(trustFiles, policy, now),
      name: index.name,
      signal,
    });
    const decision = decide(policy, {
      model: opened.model,
      stage,
      evidence: readEvidence(opened.statements),
      now,
    });
    const good = decision.decision === 'let-through';
    if (json !== undefined)
      await writeText(
        json,
        `${JSON.stringify({ ...decision, policy: { file: basename(policyFile), digest }, anchor: anchorOf(index) }, null, 2)}\n`,
      );
    terminal.print(visible(gateText(decision, [])));
    if (good && out !== undefined) {
      await rename(join(folder, 'model'), out);
      terminal.say(`Model: ${out}`);
    }
    return good ? EXIT.good : EXIT.negative;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The policy and trust to decide with: those of the bundle only when the caller knows them by their anchor. */
function believed(
  { given }: CommandRun,
  index: BundleIndex,
  folder: string,
  path: string,
): { readonly policy: string; readonly trust: readonly string[] } {
  const inside = (part: 'policy' | 'trust') =>
    index.files.filter((file) => file.part === part).map((file) => join(folder, file.path));
  const anchor = given.text('anchor');
  if (anchor !== undefined && anchor !== anchorOf(index))
    throw new GlacisError(
      'bundle/untrusted',
      `${path}: expected policy and trust with the anchor ${anchor}, got ${anchorOf(index)}`,
    );
  const [policy, trust] = [given.text('policy'), given.texts('trust')];
  if (anchor === undefined && (policy === undefined || trust.length === 0))
    throw new GlacisError(
      'bundle/untrusted',
      `${path}: expected the --anchor that make printed, or your own --policy and --trust; a bundle cannot vouch for itself`,
    );
  return { policy: policy ?? inside('policy')[0]!, trust: trust.length > 0 ? trust : inside('trust') };
}
