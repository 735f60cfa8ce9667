/** Files of a bundle by their paths: attacker-controlled. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** Notes that something was checked, and gives whether it is good. */
export type Add = (file: string, ok: boolean, detail: string) => boolean;

/** Does what may fail on what is in a file; a failure is noted, and undefined is given. */
export type Attempt = <T>(file: string, work: () => T) => T | undefined;

/** The bytes of a file. Errors: that it is missing. */
export function need(files: Files, path: string): Uint8Array {
  const found = files.get(path);
  if (found === undefined) throw new Error('it is missing');
  return found;
}

/** A file as JSON. Errors: why it is none. */
export function parsed(files: Files, path: string): unknown {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(need(files, path));
  return JSON.parse(text);
}
