import { parentPort, workerData } from 'node:worker_threads';
import type { ScanLimits } from './limits.ts';
import type { SourceResult } from './scan-source.ts';
import type { Walk } from './walk.ts';
import { openWalkScan } from './walk-scan.ts';

/** What a scanning thread is started with. */
export interface ScanWorkerData {
  readonly glacis: 'scan';
  readonly root: string;
  readonly walk: Pick<Walk, 'files' | 'folders'>;
  readonly limits: ScanLimits;
}

/** What became of a file that was asked for by its path. */
export interface ScanReply {
  readonly result: SourceResult;
  /** Files that it vouched for. */
  readonly vouched: readonly string[];
}

const data = workerData as ScanWorkerData | null;
if (parentPort && data?.glacis === 'scan') {
  const port = parentPort;
  const { root, walk, limits } = data;
  const scan = openWalkScan(root, walk, { limits, now: () => performance.now() });
  port.on('message', async (path: string) => {
    const result = await scan.scanFile(path);
    const vouched = [...scan.vouched];
    scan.vouched.clear();
    port.postMessage({ result, vouched } satisfies ScanReply);
  });
}
