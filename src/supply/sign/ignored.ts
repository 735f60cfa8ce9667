import { realpathSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { nameProblem } from './resource-name.ts';

/** What version control leaves at the top of a model; no part of it unless asked. */
export const GIT_PATHS: readonly string[] = ['.git', '.gitattributes', '.github', '.gitignore'];

/** Whether a path relative to the model, with `/` between its steps, stays out of the manifest. */
export type Ignored = (path: string) => boolean;

/**
 * Ignores exactly `paths` and what lies below them; each is relative to the model's root, nothing is a pattern
 * (OMS v1.0, section 6.2.1): `.git` does not mean `sub/.git`. A path that leads nowhere inside the model ignores nothing.
 */
export function ignoring(paths: Iterable<string>): Ignored {
  const exact = new Set(paths);
  return (path) => {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1))
      if (exact.has(path.slice(0, end))) return true;
    return exact.has(path);
  };
}

/**
 * The path inside the model that `given` names: as seen from the working folder, as the reference program reads it, or else from the
 * model's root. Errors: `option/invalid` for a pattern and for a path outside the model.
 */
export async function ignorePathFrom(model: string, given: string): Promise<string> {
  const inside = (await pathInside(model, given)) ?? (isAbsolute(given) ? undefined : tidy(given));
  if (inside === undefined || nameProblem(inside) !== undefined || /[*?[]/.test(inside))
    throw new GlacisError(
      'option/invalid',
      `--ignore-paths: expected a path inside ${model} without wildcards, got '${given}'`,
    );
  return inside;
}

/** `path` relative to the folder `model`, with `/` between its steps; `undefined` when it lies outside. Neither has to exist. */
export function pathInside(model: string, path: string): Promise<string | undefined> {
  return insideOf(model)(path);
}

/** {@link pathInside} for many paths: a folder's real place is asked for once. */
export function insideOf(model: string): (path: string) => Promise<string | undefined> {
  const places = new Map<string, string>();
  const real = (at: string) => {
    const place = places.get(at) ?? realPlace(at);
    places.set(at, place);
    return place;
  };
  return async (path) => {
    // The file itself may not exist yet, or be a link: its folder says where it lies.
    const whole = resolve(path);
    const folder = real(resolve(whole, '..'));
    const found = relative(real(model), resolve(folder, whole.slice(whole.lastIndexOf(sep) + 1)));
    return found === '' || found === '..' || found.startsWith(`..${sep}`) || isAbsolute(found)
      ? undefined
      : found.split(sep).join('/');
  };
}

function realPlace(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return resolve(path);
  }
}

function tidy(path: string): string {
  return path
    .split(/[/\\]/)
    .filter((step) => step !== '' && step !== '.')
    .join('/');
}
