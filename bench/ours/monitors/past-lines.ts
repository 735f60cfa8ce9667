import { closeSync, openSync, writeSync } from 'node:fs';
import { randomFrom } from '../../../src/core/random.ts';

/**
 * Writes `n` made-up decisions as `glacis log export` writes them: 200 clients of 40 tenants, one model of ten classes, bursts, two guards, a month. Drawn from a few thousand random lines, so that making them does not
 * take longer than reading them.
 */
export function writePast(path: string, n: number): void {
  const rng = randomFrom(1, 'past');
  const parts = Array.from({ length: 4096 }, () => {
    const client = Math.floor(200 * rng.uniform() ** 2);
    const label = rng.integer(10);
    const score = (1 - 0.5 * rng.uniform() ** 4).toFixed(6);
    return {
      who: `"subject":"client-${client}","who":{"address":"10.0.${client >> 3}.${client & 7}","credential":"k${client}","principal":"client-${client}","tenant":"tenant-${client % 40}"}`,
      rest: `"model":"digits","version":"1","digest":"sha256:${'a'.repeat(64)}","n":1,"outcome":"${rng.uniform() < 0.01 ? 'throttled' : 'answered'}","detail":"scores","guards":[{"action":"pass","guard":"input","score":0},{"action":"pass","guard":"near-duplicates","score":${(0.3 * rng.uniform()).toFixed(4)}}],"input":{"deviation":${(0.3 + 0.02 * rng.normal()).toFixed(5)},"least":0,"mean":${(0.13 + 0.03 * rng.normal()).toFixed(5)},"most":1,"shape":[1,1,28,28]},"top":[[${label},${score}]],"bucket":${[1, 2, 5][rng.integer(3)]}`,
    };
  });
  const file = openSync(path, 'w');
  const step = (30 * 86_400_000) / n;
  let text: string[] = [];
  for (let i = 0; i < n; i++) {
    const { who, rest } = parts[rng.integer(4096)]!;
    text.push(
      `{"index":${i},"schema":"glacis.decision/1",${who},"decision":{"id":"${i.toString(16).padStart(32, '0')}","at":${Math.round(1.79e12 + i * step)},${rest}}}`,
    );
    if (text.length < 20_000) continue;
    writeSync(file, `${text.join('\n')}\n`);
    text = [];
  }
  writeSync(file, text.join('\n'));
  closeSync(file);
}
