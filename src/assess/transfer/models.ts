import { basename } from 'node:path';
import { type ErrorCode, GlacisError } from '../../core/error.ts';
import type { Engine } from '../../runtime/engine.ts';
import { isEndpoint } from '../endpoint-source.ts';
import { type Loaded, type LoadOptions, load } from '../load.ts';

/** Models in one matrix: as many as there are letters that a table has room for. */
const MOST = 12;

/** One of the models, open, with the data fitted to it. */
export interface OpenModel {
  /** `A` for the first. */
  readonly label: string;
  readonly name: string;
  readonly isEndpoint: boolean;
  readonly loaded: Loaded;
}

/** What is the same for all models. */
export type CommonOptions = Omit<LoadOptions, 'model' | 'surrogate'>;

/**
 * Throws `option/invalid` for fewer than two models or too many, without a model file to make examples on, and for credentials that would
 * go to several hosts.
 */
export function checkModels(models: readonly string[], { endpoint }: CommonOptions): void {
  if (models.length < 2 || models.length > MOST)
    throw new GlacisError(
      'option/invalid',
      `transfer: expected two to ${MOST} models, got ${models.length}; examples made on each are tried on every other`,
    );
  if (models.every(isEndpoint))
    throw new GlacisError(
      'option/invalid',
      'transfer: expected a model file to make examples on, got endpoints and adapters only',
    );
  const origins = new Set(
    models.filter((model) => /^[a-z]+:\/\//i.test(model)).map((model) => URL.parse(model)?.host ?? model),
  );
  if (origins.size > 1 && Object.keys(endpoint?.headers ?? {}).length > 0)
    throw new GlacisError(
      'option/invalid',
      `--header: expected endpoints of one host, because headers go to each of them, got ${origins.size} hosts`,
    );
}

/**
 * Loads every model with the data. All must take samples of the same shape.
 * Errors: those of {@link load}, with the model's name; `data/mismatch`, naming two models whose shapes differ.
 */
export async function openModels(
  engine: Engine,
  models: readonly string[],
  options: CommonOptions,
): Promise<readonly OpenModel[]> {
  const open: OpenModel[] = [];
  try {
    for (const [i, model] of models.entries()) {
      const name = basename(model);
      const loaded = await load(engine, { ...options, model }).catch((thrown: unknown) => {
        throw named(thrown, name, open[0]);
      });
      open.push({ label: String.fromCharCode(65 + i), name, isEndpoint: isEndpoint(model), loaded });
      const first = open[0]!;
      if (shapeOf(loaded) !== shapeOf(first.loaded))
        throw new GlacisError(
          'data/mismatch',
          `${name}: expected samples of the shape that ${first.name} takes, ${shapeOf(first.loaded)}, got ${shapeOf(loaded)}; an example can be tried only on a model that takes it as it is`,
        );
    }
    return open;
  } catch (thrown) {
    await closeModels(open);
    throw thrown;
  }
}

/** Closes all of them, also where one does not want to. */
export async function closeModels(open: readonly OpenModel[]): Promise<void> {
  for (const { loaded } of open) await loaded.close().catch(() => {});
}

function shapeOf({ subject }: Loaded): string {
  return `[${subject.sampleDims.join(', ')}]`;
}

/** Errors that are about the data or the user, whatever the model. */
const UNNAMED: ReadonlySet<ErrorCode> = new Set(['data/unreadable', 'data/too-large', 'run/cancelled']);

/** The error with the model's name, and with the first model's shape where data that fit that one do not fit this one. */
function named(thrown: unknown, name: string, first: OpenModel | undefined): unknown {
  if (!(thrown instanceof GlacisError) || UNNAMED.has(thrown.code)) return thrown;
  const { code, message } = thrown;
  const whose = message.includes(name) ? message : `${name}: ${message}`;
  const fits =
    first && code === 'data/mismatch'
      ? `; ${first.name} takes samples of ${shapeOf(first.loaded)}, and all models must take the same`
      : '';
  return fits === '' && whose === message ? thrown : new GlacisError(code, whose + fits, { cause: thrown });
}
