import { GlacisError } from '../../../core/error.ts';
import { loadExternalFrom } from '../../../onnx/external-data.ts';
import type { Model } from '../../../onnx/model.ts';
import { quoted } from '../../../onnx/problems.ts';
import { parseModel } from '../../../onnx/read.ts';
import type { HeldModel } from './held-model.ts';

/**
 * The model in files that were read and checked. External data comes from those files only: a location that leads anywhere else does not exist.
 * `entry` is the ONNX file's name, needed where there are several; `covered` the files that were checked.
 * Errors: `option/invalid` for an entry that is not there, `model/external-data`, those of reading a model.
 */
export function modelFromHeld(
  held: HeldModel,
  covered: ReadonlySet<string>,
  entry: string | undefined,
): Model {
  const files = held.files.filter(({ name }) => covered.has(name));
  const candidates = held.single ? files : files.filter(({ name }) => name.endsWith('.onnx'));
  const chosen =
    entry === undefined || held.single
      ? candidates.length === 1
        ? candidates[0]
        : undefined
      : files.find(({ name }) => name === entry);
  if (!chosen)
    throw new GlacisError(
      'option/invalid',
      `${held.name}: expected one ONNX file among what was checked${entry === undefined ? '' : `, ${quoted(entry)}`}, got ${candidates.map(({ name }) => quoted(name)).join(', ') || 'none'}`,
    );
  const folder = chosen.name.split('/').slice(0, -1);
  const byName = new Map(files.map(({ name, bytes }) => [name, bytes]));
  return loadExternalFrom(parseModel(chosen.bytes), (location) => {
    // Attacker-controlled: it only ever chooses among the files at hand.
    const steps = location.split('/').filter((step) => step !== '' && step !== '.');
    return location.startsWith('/') || steps.includes('..')
      ? undefined
      : byName.get([...folder, ...steps].join('/'));
  });
}
