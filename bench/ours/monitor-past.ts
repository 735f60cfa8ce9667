import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { analysePast } from '../../src/monitor/past/analyse-past.ts';
import { pastFromFile } from '../../src/monitor/past/open-past.ts';
import { clock, line } from './lines.ts';
import { writePast } from './monitors/past-lines.ts';

/** How long all monitors take over past decisions, as `glacis monitor` looks at them: `node bench/ours/monitor-past.ts [DECISIONS] [FEATURES] [jsonl|csv] [DAYS]`. */
const decisions = Number(process.argv[2] ?? 10_000_000);
const features = Number(process.argv[3] ?? 0);
const kind = process.argv[4] ?? 'jsonl';
const days = Number(process.argv[5] ?? 30);
const folder = mkdtempSync(join(tmpdir(), 'glacis-past-'));
try {
  const file = join(folder, `past.${kind}`);
  writePast(file, decisions, features, days);
  const rest = process.memoryUsage().rss;
  const before = clock();
  const found = await analysePast(pastFromFile(file), { choice: { kinds: {}, only: {}, calibration: {} } });
  const after = clock();
  line('past', {
    id: `past ${decisions}`,
    ...{ from: kind, features, days },
    ...{ decisions: found.decisions, bytes: statSync(file).size, before: rest },
    ...{ seconds: after.wall - before.wall, cpu: after.cpu - before.cpu },
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    alarms: found.counts,
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
