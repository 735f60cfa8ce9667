import { open } from 'node:fs/promises';
import { z } from 'zod';
import { asGlacisError } from '../../core/error.ts';
import type { LabConfig } from '../console/lab-schema.ts';
import type { BackendConfig } from './config-schema.ts';

/** Names of a model's classes by number; undefined where there are none. Never throws. */
export type ClassNames = (model: string) => Promise<readonly string[] | undefined>;

const MOST_BYTES = 1 << 20;
const shape = z.array(z.string().max(500)).min(1).max(10_000);

/**
 * Names of classes from a model's section of the configuration in force, from the lab's, or from the model's own metadata. A file is looked at each time that somebody asks, and read when it has changed; one that cannot be
 * read is told to `failed` once, and the classes have numbers alone.
 */
export function classNames(
  config: () => Pick<BackendConfig, 'models'> & {
    readonly console: { readonly lab: Pick<LabConfig, 'models'> };
  },
  {
    placeOf,
    failed,
    inModel = () => undefined,
  }: {
    readonly placeOf: (path: string) => string;
    readonly failed: (where: string, thrown: unknown) => void;
    /** What the model that is served says itself. */
    readonly inModel?: (model: string) => readonly string[] | undefined;
  },
): ClassNames {
  /** By path: what the file held, and when it was changed. */
  const read = new Map<string, { readonly stamp: string; readonly names: readonly string[] | undefined }>();
  const namesIn = async (path: string): Promise<readonly string[] | undefined> => {
    const handle = await open(path).catch(() => undefined);
    try {
      const { mtimeMs, size } = (await handle?.stat()) ?? {};
      const stamp = `${mtimeMs} ${size}`;
      const known = read.get(path);
      if (known?.stamp === stamp) return known.names;
      const names = await parsed(handle && size! <= MOST_BYTES ? await handle.readFile('utf8') : '').catch(
        (thrown) => {
          const said = asGlacisError(thrown, 'data/unreadable', path);
          failed(`${path}: expected up to 10,000 names of classes, one a line or a JSON array`, said);
          return undefined;
        },
      );
      read.set(path, { stamp, names });
      return names;
    } finally {
      await handle?.close();
    }
  };
  return async (model) => {
    const { models, console: pages } = config();
    const given = Object.hasOwn(models, model) ? models[model]!.classes : undefined;
    if (typeof given === 'string') return namesIn(placeOf(given));
    const ofLab = Object.hasOwn(pages.lab.models, model) ? pages.lab.models[model]!.classNames : undefined;
    return given ?? ofLab ?? inModel(model);
  };
}

async function parsed(text: string): Promise<readonly string[]> {
  const trimmed = text.trim();
  return shape.parse(
    trimmed.startsWith('[')
      ? JSON.parse(trimmed)
      : trimmed === ''
        ? []
        : trimmed.split('\n').map((line) => line.trim()),
  );
}
