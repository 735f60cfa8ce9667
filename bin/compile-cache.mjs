/**
 * Lets Node keep what it compiled between runs, which is most of what a short command costs. Compiled code is trusted as it is read, so
 * it lies in a folder of the user's own that nobody else can write; where there is none, everything is compiled anew.
 */
import { lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** Turns the cache on where that is safe; never throws. `NODE_DISABLE_COMPILE_CACHE=1` turns it off. */
export function keepCompiledCode(env = process.env) {
  // Whoever names a folder to Node, or forbids one, has decided.
  if (env.NODE_COMPILE_CACHE !== undefined || env.NODE_DISABLE_COMPILE_CACHE !== undefined) return;
  try {
    const folder = cacheFolder(env);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOwn(folder)) return;
    enableCompileCache(folder);
    // Threads and child processes look there.
    env.NODE_COMPILE_CACHE = folder;
  } catch {
    // No home, no right to write there: slower, and nothing else.
  }
}

function cacheFolder({ XDG_CACHE_HOME: cache }) {
  const base = cache !== undefined && isAbsolute(cache) ? cache : join(homedir(), '.cache');
  return join(base, 'glacis', 'compiled');
}

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Whether `folder` is the user's own and can neither be written nor exchanged by another: no link on the way, every folder above it
 * owned by the user or the system, and written by others only where they cannot move what is not theirs. Where owners cannot be
 * told (Windows), no folder is.
 */
export function isOwn(folder, user = process.getuid?.()) {
  if (user === undefined) return false;
  for (let at = folder; ; at = dirname(at)) {
    const { uid, mode, isDirectory } = factsOf(at);
    const leaf = at === folder;
    const owned = uid === user || (!leaf && uid === 0);
    const open = (mode & WRITABLE_BY_OTHERS) !== 0 && (leaf || (mode & STICKY) === 0);
    if (!isDirectory || !owned || open) return false;
    if (at === dirname(at)) return true;
  }
}

function factsOf(path) {
  const facts = lstatSync(path);
  return { uid: facts.uid, mode: facts.mode, isDirectory: facts.isDirectory() };
}
