import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { openEvidence } from '../../policy/evidence/open-evidence.ts';
import { readEvidence } from '../../policy/evidence/read-statement.ts';
import { decide } from '../../policy/gate/decide.ts';
import { readPolicyFile } from '../../policy/policy-file.ts';
import { unknownStage } from '../../policy/read-policy.ts';
import { gateText } from '../../policy/report/text.ts';
import { pull, readEvidence as readStored, resolveReference } from '../../registry/pull.ts';
import { visible } from '../../report/markup.ts';
import type { CommandRun } from '../command.ts';
import { trustIn } from '../gate.ts';
import { type Opened, wrappingKeyFrom } from './surroundings.ts';

/** What the gate leaves behind, to be signed with the promotion. */
export interface Gated {
  /** The policy and the decision, as files. */
  readonly files: readonly string[];
  /** Removes them. */
  remove(): Promise<void>;
}

/**
 * Asks the gate about a version before it is promoted: the files are pulled and hashed again, the evidence is what was pushed with them (or what a
 * waiting change names) and what is given now, and the stage is the alias. Errors: `registry/refused` when the gate refuses, with its reasons; those of pulling and of the
 * policy.
 */
export async function gated(
  { given, terminal, signal }: CommandRun,
  { registry, blobs }: Opened,
  { model, version, alias }: { readonly model: string; readonly version: string; readonly alias: string },
): Promise<Gated> {
  const file = given.text('policy')!;
  const { policy, bytes } = await readPolicyFile(file);
  if (!policy.entries.some(({ stages }) => Object.hasOwn(stages, alias))) throw unknownStage(policy, alias);
  const folder = await mkdtemp(join(tmpdir(), 'glacis-gate-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const { version: found } = resolveReference(registry.state, { model, version });
    const files = join(folder, 'model');
    const key = await wrappingKeyFrom(given);
    const entries = await pull(registry, blobs, found, files, { key, progress: terminal.progress });
    // A model of one file is signed as a file and not as a folder.
    const [only, ...others] = entries;
    const path = only && others.length === 0 ? join(files, ...only.path.split('/')) : files;
    const waiting = [...registry.state.pending.values()].find(
      ({ event }) =>
        event.kind === 'promotion' &&
        event.model === model &&
        event.version === version &&
        event.alias === alias,
    )?.event;
    const joins = waiting !== undefined && given.texts('evidence').length === 0;
    const refs = joins && 'evidence' in waiting ? waiting.evidence : found.evidence;
    const kept: string[] = [];
    for (const [i, ref] of refs.entries()) {
      // The name comes from who pushed: only the number is used for the file.
      kept.push(join(folder, `evidence-${i}`));
      await writeFile(kept[i]!, await readStored(blobs, ref));
    }
    const now = Date.now();
    const opened = await openEvidence(path, {
      paths: [...kept, ...given.texts('evidence')],
      trust: await trustIn(given.texts('evidence-trust'), policy, now),
      name: model,
      signal,
    });
    const evidence = readEvidence(opened.statements);
    const decision = decide(policy, { model: opened.model, stage: alias, evidence, now });
    if (decision.decision !== 'let-through') {
      terminal.print(visible(gateText(decision, [])));
      throw new GlacisError(
        'registry/refused',
        `${model}@${version}: the gate does not let it through to ${alias}`,
      );
    }
    // Who adds a signature to a change that waits signs the same bytes, with the first decision in them.
    if (joins) return { files: [], remove };
    const record = join(folder, 'gate-decision.json');
    const copy = join(folder, 'gate-policy.yaml');
    await writeFile(record, `${JSON.stringify(decision, null, 2)}\n`);
    // The bytes that were decided by: the file may be another by now.
    await writeFile(copy, bytes);
    return { files: [copy, record], remove };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}
