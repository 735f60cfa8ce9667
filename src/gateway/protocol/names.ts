/**
 * Names of models that can be asked for: letters, digits and `_ . : @ + ~ -`, beginning with a letter, a digit or `_`. A name in a path
 * is decoded once; what then holds a slash, a backslash, a percent sign, a control or any other character is a model that does not exist.
 */
export const MODEL_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:@+~-]{0,127}$/;

/** Versions that can be asked for. */
export const MODEL_VERSION = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}$/;

/** Whether such a model, and version where one is named, could exist. */
export function isNamed(model: string, version: string | undefined): boolean {
  return MODEL_NAME.test(model) && (version === undefined || MODEL_VERSION.test(version));
}
