import { GlacisError } from '../core/error.ts';

/** Names of models, versions and aliases: what may also be a repository and a tag of an OCI registry. */
const MODEL = /^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-][a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Whether a text may name a model. */
export const isModelName = (text: string): boolean => text.length <= 128 && MODEL.test(text);
/** Whether a text may name a version or an alias. */
export const isTag = (text: string): boolean => TAG.test(text);
/** Whether a text is `sha256:` and 64 lowercase hexadecimal digits. */
export const isDigest = (text: string): boolean => DIGEST.test(text);

/** What a command line says about which version of which model: `NAME@VERSION`, `NAME:ALIAS`, or only `NAME`. */
export interface ModelReference {
  readonly model: string;
  readonly version?: string;
  readonly alias?: string;
}

/** Reads `NAME`, `NAME@VERSION` or `NAME:ALIAS`. Errors: `option/invalid`. */
export function parseReference(text: string): ModelReference {
  const [, model = '', sign, tag = ''] = /^([^@:]*)(?:([@:])(.*))?$/.exec(text) ?? [];
  if (!isModelName(model) || (sign !== undefined && !isTag(tag)))
    throw new GlacisError(
      'option/invalid',
      `'${text.slice(0, 80)}': expected NAME, NAME@VERSION or NAME:ALIAS (names in lower case with . _ - /), got something else`,
    );
  if (sign === undefined) return { model };
  return sign === '@' ? { model, version: tag } : { model, alias: tag };
}
