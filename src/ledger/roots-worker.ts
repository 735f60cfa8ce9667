import { parentPort, workerData } from 'node:worker_threads';
import { rootsOf } from './bundle-check.ts';
import { MOST_BUNDLE_BYTES } from './entry-bundle.ts';
import { HASH_BYTES } from './merkle.ts';
import { type SyncFolder, syncFolder } from './sync-folder.ts';
import { TILE_WIDTH, tilePath } from './tile.ts';

/** What such a thread is told when it is started. */
export interface RootsWorkerData {
  readonly glacis: 'roots';
  readonly folder: string;
}

/** Full bundles whose roots are wanted. */
export interface RootsRequest {
  readonly from: number;
  readonly to: number;
}

/** 32 bytes for each bundle: the root over its entries, and that over its tile's hashes. */
export interface RootsReply {
  readonly from: number;
  readonly entries: Uint8Array;
  readonly tiles: Uint8Array;
}

/** Both roots of the full bundles of a range. A file that cannot be read counts as missing: it is looked at again when findings are put into words. */
export function rootsOfRange(folder: SyncFolder, { from, to }: RootsRequest): RootsReply {
  const entries = Buffer.alloc((to - from) * HASH_BYTES);
  const tiles = Buffer.alloc((to - from) * HASH_BYTES);
  const read = (path: string, most: number) => {
    try {
      return folder.read(path, most);
    } catch {
      return undefined;
    }
  };
  for (let index = from; index < to; index++) {
    const width = TILE_WIDTH;
    const bundle = read(tilePath({ level: 'entries', index, width }), MOST_BUNDLE_BYTES);
    const tile = read(tilePath({ level: 0, index, width }), TILE_WIDTH * HASH_BYTES);
    const [ofEntries, ofTile] = rootsOf(bundle, tile);
    entries.set(ofEntries, (index - from) * HASH_BYTES);
    tiles.set(ofTile, (index - from) * HASH_BYTES);
  }
  return { from, entries, tiles };
}

const port = parentPort;
const data = workerData as RootsWorkerData | null;
if (port && data?.glacis === 'roots') {
  const folder = syncFolder(data.folder);
  port.on('message', (request: RootsRequest) => port.postMessage(rootsOfRange(folder, request)));
}
