import { GlacisError } from '../../core/error.ts';
import { parseReference } from '../../registry/names.ts';
import { pull, resolveReference } from '../../registry/pull.ts';
import { push } from '../../registry/push.ts';
import { requireFresh } from '../../registry/registry.ts';
import type { Verb } from '../verbs.ts';
import { keeperFrom, keysFrom, openFrom, wrappingKeyFrom } from './surroundings.ts';

/** `glacis registry push`: adds a version. */
export const pushModel: Verb = async (run, [path = '', text = '']) => {
  const { given, terminal } = run;
  const { model, version } = parseReference(text);
  if (version === undefined)
    throw new GlacisError('option/invalid', `registry push: expected NAME@VERSION, got '${text}'`);
  const keys = await keysFrom(given);
  const { registry, blobs } = await openFrom(run);
  const done = await push(registry, blobs, {
    model,
    version,
    path,
    keys,
    evidence: given.texts('evidence'),
    keeper: await keeperFrom(given, registry),
    wrappingKey: await wrappingKeyFrom(given),
    ignorePaths: given.texts('ignore-paths'),
    progress: terminal.progress,
  });
  const { digest, files, size, by } = done.version;
  return {
    json: { schema: 'glacis.registry.push/1', ...done.version, known: done.known },
    text: `${digest}  ${model}@${version}\n${done.known ? 'was there already' : `${files} files, ${size} bytes, by ${by.join(', ')}`}\n`,
  };
};

/** `glacis registry pull`: writes a model's files into a new folder. */
export const pullModel: Verb = async (run, [text = '']) => {
  const { given, terminal } = run;
  const reference = parseReference(text);
  const out = given.text('out');
  if (out === undefined)
    throw new GlacisError('option/invalid', '--out: expected a FOLDER that does not exist yet, got nothing');
  const { registry, blobs } = await openFrom(run);
  requireFresh(registry);
  const { version, change } = resolveReference(registry.state, reference);
  const key = await wrappingKeyFrom(given);
  const entries = await pull(registry, blobs, version, out, { key, progress: terminal.progress });
  const how = change
    ? `${change.kind} by ${change.by.join(', ')} at ${change.at}`
    : 'not by an alias: nobody has promoted it here';
  return {
    json: {
      schema: 'glacis.registry.pull/1',
      model: version.model,
      version: version.version,
      digest: version.digest,
      ...(change && { change }),
      files: entries.map(({ path, plain }) => ({ path, ...plain })),
    },
    text: `${version.digest}  ${version.model}@${version.version}\n${entries.length} files in ${out}, ${how}\n`,
  };
};
