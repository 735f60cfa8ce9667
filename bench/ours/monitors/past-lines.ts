import { closeSync, openSync, writeSync } from 'node:fs';
import { type Rng, randomFrom } from '../../../src/core/random.ts';

/** Random decisions that all others are drawn from, so that making them does not take longer than reading them. */
const PARTS = 4096;
/** Features that are correlated with each other. */
const BLOCK = 4;
const DAY = 86_400_000;

/**
 * Writes `n` made-up decisions of some days, as `glacis log export` writes them (`.jsonl`) or as a table (`.csv`): 200 clients of 40 tenants, one model of ten classes, bursts, two guards, and `features` of the input, correlated, where there are to be some.
 */
export function writePast(path: string, n: number, features = 0, days = 30): void {
  const rng = randomFrom(1, 'past');
  const parts = Array.from({ length: PARTS }, () => partOf(rng, features));
  const lines = path.endsWith('.csv') ? csvLines(features) : jsonLines();
  const file = openSync(path, 'w');
  const step = (days * DAY) / n;
  let text: string[] = [...lines.header];
  for (let i = 0; i < n; i++) {
    const part = parts[rng.integer(PARTS)]!;
    // Features are mixed anew for each: nobody asks about the same input twice.
    const values = Array.from(
      { length: Math.ceil(features / BLOCK) },
      (_, k) => parts[rng.integer(PARTS)]!.features[k]!,
    );
    text.push(lines.line(i, Math.round(1.79e12 + i * step), part, values.join(',')));
    if (text.length < 20_000) continue;
    writeSync(file, `${text.join('\n')}\n`);
    text = [];
  }
  writeSync(file, text.join('\n'));
  closeSync(file);
}

function partOf(rng: Rng, features: number) {
  const client = Math.floor(200 * rng.uniform() ** 2);
  return {
    client: `client-${client}`,
    tenant: `tenant-${client % 40}`,
    credential: `k${client}`,
    address: `10.0.${client >> 3}.${client & 7}`,
    label: rng.integer(10),
    score: (1 - 0.5 * rng.uniform() ** 4).toFixed(6),
    outcome: rng.uniform() < 0.01 ? 'throttled' : 'answered',
    near: (0.3 * rng.uniform()).toFixed(4),
    deviation: (0.3 + 0.02 * rng.normal()).toFixed(5),
    mean: (0.13 + 0.03 * rng.normal()).toFixed(5),
    bucket: [1, 2, 5][rng.integer(3)]!,
    features: Array.from({ length: Math.ceil(features / BLOCK) }, (_, k) => {
      const common = rng.normal();
      const size = Math.min(BLOCK, features - k * BLOCK);
      return Array.from({ length: size }, () => (common + rng.normal()).toFixed(4)).join(',');
    }),
  };
}
type Part = ReturnType<typeof partOf>;

const idOf = (i: number): string => i.toString(16).padStart(32, '0');
const DIGEST = `sha256:${'a'.repeat(64)}`;

/** One kind of file. */
interface Lines {
  readonly header: readonly string[];
  readonly line: (i: number, at: number, part: Part, values: string) => string;
}

function jsonLines(): Lines {
  const said = new Map<Part, readonly [string, string]>();
  const saidOf = (part: Part): readonly [string, string] => {
    let texts = said.get(part);
    if (texts === undefined) {
      const { client, tenant, credential, address } = part;
      texts = [
        `"subject":"${client}","who":{"address":"${address}","credential":"${credential}","principal":"${client}","tenant":"${tenant}"}`,
        `"model":"digits","version":"1","digest":"${DIGEST}","n":1,"outcome":"${part.outcome}","detail":"scores","guards":[{"action":"pass","guard":"input","score":0},{"action":"pass","guard":"near-duplicates","score":${part.near}}],"input":{"deviation":${part.deviation},"least":0,"mean":${part.mean},"most":1,"shape":[1,1,28,28]},"top":[[${part.label},${part.score}]],"bucket":${part.bucket}`,
      ];
      said.set(part, texts);
    }
    return texts;
  };
  return {
    header: [],
    line(i, at, part, values) {
      const [who, rest] = saidOf(part);
      const sketch = values === '' ? '' : `,"sketch":{"values":[${values}]}`;
      return `{"index":${i},"schema":"glacis.decision/1",${who},"decision":{"id":"${idOf(i)}","at":${at},${rest}${sketch}}}`;
    },
  };
}

function csvLines(features: number): Lines {
  const names = Array.from({ length: features }, (_, i) => `x${i}`);
  return {
    header: [['id', 'time', 'principal', 'tenant', 'address', 'model', 'label', 'score', ...names].join(',')],
    line: (i, at, { client, tenant, address, label, score }, values) =>
      `${idOf(i)},${new Date(at).toISOString()},${client},${tenant},${address},digits,${label},${score}${values === '' ? '' : `,${values}`}`,
  };
}
