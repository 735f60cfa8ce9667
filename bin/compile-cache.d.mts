/** Turns on Node's cache of compiled code where that is safe; never throws. */
export function keepCompiledCode(env?: NodeJS.ProcessEnv): void;
/** Whether `folder` is the user's own and can neither be written nor exchanged by another. Throws where it is not there. */
export function isOwn(folder: string, user?: number): boolean;
