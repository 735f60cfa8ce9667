import { dirname, resolve } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { backendSchema } from '../backend/config-schema.ts';
import { openBackends } from '../backend/open-backends.ts';
import { type AskGood, askServed } from './ask-served.ts';

/** A good version that no server has loaded. */
export interface GoodFile {
  /** `sha256:…`: the root digest of what was read. */
  readonly digest: string;
  readonly ask: AskGood;
  close(): Promise<void>;
}

/**
 * Opens an ONNX file (or a folder with one) as the gateway does, so that it answers as it would in service; it is asked whatever model a decision was of. Errors: those of opening a model;
 * `model/unsupported-task` where it does not classify.
 */
export async function openGoodFile(
  path: string,
  { failed }: { readonly failed: (where: string, thrown: unknown) => void },
): Promise<GoodFile> {
  const file = resolve(path);
  const { backends, notLoaded } = await openBackends(
    backendSchema.parse({ models: { good: { file, check: { asGiven: true } } } }),
    {
      ...{ folder: dirname(file), env: {}, home: dirname(file), now: Date.now, grace: 0, failed },
      record: async () => 0,
      wantsFeatures: () => false,
    },
  );
  const [refused] = notLoaded;
  const good = backends.find('good', undefined);
  if (refused !== undefined || good === undefined || good.classifier === undefined) {
    await backends.close();
    throw new GlacisError(
      'model/unsupported-task',
      `${path}: expected a model that classifies${refused ? `: ${refused.because}` : ''}`,
    );
  }
  return { digest: good.digest, ask: askServed(() => good), close: () => backends.close() };
}
