import { parseReference } from '../../registry/names.ts';
import { filesOf, resolveReference } from '../../registry/pull.ts';
import { requireFresh } from '../../registry/registry.ts';
import { currentOf, type RegistryState, revocationOf } from '../../registry/state.ts';
import { visible } from '../../report/markup.ts';
import { prepareFile, writeText } from '../output.ts';
import type { Verb } from '../verbs.ts';
import { openFrom } from './surroundings.ts';

/** `glacis registry list`: versions, what aliases point to, and what waits for signatures. */
export const list: Verb = async (run, [name]) => {
  const { registry } = await openFrom(run);
  const { state, checkpoint } = registry;
  const versions = [...state.versions.values()].filter(({ model }) => name === undefined || model === name);
  const pending = [...state.pending.values()];
  const lines = versions.map(({ model, version, digest, at, by }) => {
    const marks = [
      ...aliasesOf(state, model, version),
      ...(revocationOf(state, model, digest) ? ['REVOKED'] : []),
    ].join(' ');
    return `${`${model}@${version}`.padEnd(24)} ${digest.slice(0, 19)}…  ${at.slice(0, 16)}  ${by.join(', ')}  ${marks}`.trimEnd();
  });
  const waiting = pending.map(({ event, approvals, needed }) => {
    const what = 'model' in event ? `${event.model}${'version' in event ? `@${event.version}` : ''}` : '';
    return `waits: ${event.kind} ${what} signed by ${approvals.join(', ')} (${approvals.length} of ${needed})`;
  });
  let age = 'fresh';
  try {
    requireFresh(registry);
  } catch {
    age = 'NOT FRESH: see glacis registry verify';
  }
  return {
    json: {
      schema: 'glacis.registry.list/1',
      origin: state.origin,
      entries: checkpoint.size,
      signed: checkpoint.at === undefined ? null : new Date(checkpoint.at * 1000).toISOString(),
      versions: versions.map((v) => ({
        ...v,
        aliases: aliasesOf(state, v.model, v.version),
        revoked: revocationOf(state, v.model, v.digest) ?? null,
      })),
      pending: pending.map(({ event, approvals, needed }) => ({ event, approvals, needed })),
      frozen: state.frozen ?? null,
    },
    text: [
      ...lines,
      ...waiting,
      ...frozenLine(state),
      `${state.origin}, ${checkpoint.size} entries, ${age}`,
      '',
    ]
      .map(visible)
      .join('\n'),
  };
};

function frozenLine({ frozen }: RegistryState): readonly string[] {
  return frozen === undefined
    ? []
    : [`FROZEN since ${frozen.at.slice(0, 16)} by ${frozen.by.join(', ')}: ${frozen.reason}`];
}

/** `glacis registry show`: one version with its files, its evidence and its story. */
export const show: Verb = async (run, [text = '']) => {
  const reference = parseReference(text);
  const proof = run.given.text('proof');
  if (proof !== undefined) await prepareFile(proof);
  const { registry, blobs } = await openFrom(run);
  const { state, log } = registry;
  const { version, change } = resolveReference(state, reference);
  const files = await filesOf(blobs, version);
  const story = [...state.aliases].flatMap(([key, { history }]) => {
    const [model, alias = ''] = key.split('\n');
    return model === version.model ? history.map((entry) => ({ alias, ...entry })) : [];
  });
  const entry = change?.index ?? version.index;
  if (proof !== undefined) {
    // The extra data is the entry itself, so that the file is all that a verifier needs beside the log's key.
    const bytes = await log.entry(entry);
    const lines = (await log.prove(entry)).split('\n');
    lines.splice(1, 0, `extra ${Buffer.from(bytes).toString('base64')}`);
    await writeText(proof, lines.join('\n'));
  }
  const evidence = change?.evidence ?? version.evidence;
  return {
    json: { schema: 'glacis.registry.show/1', version, ...(change && { change }), files, evidence, story },
    text: [
      `${version.model}@${version.version}  ${version.digest}`,
      `pushed by ${version.by.join(', ')} at ${version.at}`,
      ...aliasesOf(state, version.model, version.version).map((alias) => `is ${alias}`),
      '',
      'Files',
      ...files.map(
        ({ path, plain, stored }) =>
          `  ${String(plain.size).padStart(12)}  ${plain.digest.slice(0, 19)}…  ${path}${plain.digest === stored.digest ? '' : '  (encrypted)'}`,
      ),
      ...(evidence.length > 0
        ? ['Evidence', ...evidence.map(({ name, digest }) => `  ${digest.slice(0, 19)}…  ${name}`)]
        : []),
      ...(story.length > 0
        ? [
            'Story',
            ...story.map(
              (s) =>
                `  entry ${s.index}  ${s.at.slice(0, 16)}  ${s.kind} of ${s.version} to ${s.alias} by ${s.by.join(', ')}${s.reason ? `: ${s.reason}` : ''}`,
            ),
          ]
        : []),
      ...(proof === undefined ? [] : [`Proof: ${proof}`]),
      '',
    ]
      .map(visible)
      .join('\n'),
  };
};

/** The aliases that point to a version now. */
function aliasesOf(state: RegistryState, model: string, version: string): readonly string[] {
  return [...state.aliases.keys()]
    .map((key) => key.split('\n'))
    .filter(([of, alias = '']) => of === model && currentOf(state, model, alias)?.version === version)
    .map(([, alias = '']) => alias);
}
