/**
 * Names of models and versions that can be asked for, as `serve.models` has them. A name in a path is decoded once; what then holds a
 * slash, a backslash, a percent sign, a control or any other character is a model that does not exist.
 */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Whether such a model, and version where one is named, could exist. */
export function isNamed(model: string, version: string | undefined): boolean {
  return NAME.test(model) && (version === undefined || NAME.test(version));
}
