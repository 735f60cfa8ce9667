import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { ManagementAnswer } from '../manage/route.ts';
import { Refused } from '../refusal.ts';

/** The built pages. */
export interface Pages {
  /** What is at this path below `/console/`: a file, or the page itself for a path that begins with a page's name: what follows may be the name of a model or a client, with dots. Errors: `Refused` `unknown`. */
  at(path: string, acceptEncoding: string | undefined): Promise<ManagementAnswer>;
}

/** Nothing but what this server sends may run, and no page may frame it. */
export const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Features of browsers that the pages have no use for. */
const NO_FEATURES = 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};
/** Written ahead by the build, the smaller first. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;
const MOST_FILES = 500;
const MOST_BYTES = 32 << 20;

/** A file with its content's hash in its name never changes. */
const HASHED = /^assets\/.*[.-][A-Za-z0-9_-]{8,}\.\w+$/;

/** Nothing, or a page's name and what follows it. */
const PAGE = /^(?!assets\/)(?:[a-z-]+(?:\/|$)|$)/;

interface Built {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** When `index.html` was written. */
  readonly at: number;
}

/**
 * Opens the built pages in this folder. All files are read ahead and found by name in a table, so no path leads out of it. Built anew, they are read anew at the next
 * visit. Where they were not built, a page says so.
 */
export function openPages(folder: string): Pages {
  let built: Promise<Built | undefined> | undefined;
  const current = async (): Promise<Built | undefined> => {
    const [before, written] = [await built, await writtenAt(folder)];
    if (before?.at !== written) built = written === undefined ? undefined : readAll(folder, written);
    return built;
  };
  return {
    async at(path, acceptEncoding) {
      const isPage = PAGE.test(path);
      const now = isPage || built === undefined ? await current() : await built;
      if (now === undefined) {
        if (!isPage) throw new Refused('unknown', 'the console is not built');
        return { bytes: NOT_BUILT, type: TYPES['.html']!, status: 503, headers: headersOf(false) };
      }
      const name = isPage ? 'index.html' : path;
      const type = TYPES[extname(name)];
      const plain = now.files.get(name);
      if (plain === undefined || type === undefined)
        throw new Refused('unknown', 'no such file of the console');
      const [encoding, ending] =
        ENCODINGS.find(
          ([coding, suffix]) => accepts(acceptEncoding, coding) && now.files.has(name + suffix),
        ) ?? [];
      return {
        bytes: ending === undefined ? plain : now.files.get(name + ending)!,
        type,
        headers: {
          ...headersOf(HASHED.test(name)),
          vary: 'accept-encoding',
          ...(encoding && { 'content-encoding': encoding }),
        },
      };
    },
  };
}

function headersOf(isHashed: boolean): Readonly<Record<string, string>> {
  return {
    'content-security-policy': CONSOLE_POLICY,
    'permissions-policy': NO_FEATURES,
    'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
}

function accepts(header: string | undefined, coding: string): boolean {
  return (header ?? '').split(',').some((each) => {
    const [name, quality = 'q=1'] = each.split(';').map((part) => part.trim().toLowerCase());
    return name === coding && !/^q=0(?:\.0*)?$/.test(quality);
  });
}

async function writtenAt(folder: string): Promise<number | undefined> {
  try {
    return (await stat(join(folder, 'index.html'))).mtimeMs;
  } catch {
    return undefined;
  }
}

async function readAll(folder: string, at: number): Promise<Built | undefined> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = new Map<string, Uint8Array>();
    let size = 0;
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const bytes = await readFile(path);
      size += bytes.length;
      if (files.size >= MOST_FILES || size > MOST_BYTES) return undefined;
      files.set(relative(folder, path).split(sep).join('/'), bytes);
    }
    return { files, at };
  } catch {
    // Being built just now: asked again at the next visit.
    return undefined;
  }
}

const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Glacis</title>
<h1>The console is not built</h1>
<p>In a clone of the repository: <code>npm run build</code>, then load this page again. Everything else of the management side works without it.</p>
`;
