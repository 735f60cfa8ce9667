import { asGlacisError, GlacisError } from '../../core/error.ts';
import type { ByteSource } from '../../data/byte-source.ts';
import { ENGINE_RULES } from './engine-rules.ts';
import { type Finding, type Place, placeText, type Rule } from './finding.ts';
import type { Budget } from './limits.ts';
import { isPlain } from './plain.ts';
import type { Collection, CollectionScanner, Probe, ScanContext, Scanner } from './scanner.ts';
import { type Verdict, worstVerdict } from './verdict.ts';

/** What a scan runs with. */
export interface Scanners {
  readonly scanners: readonly Scanner[];
  readonly collectionScanners: readonly CollectionScanner[];
}

/** What the scan of one content needs. */
export interface SourceScan extends Scanners {
  /** The file, as results name it. */
  readonly file: string;
  readonly budget: Budget;
  readonly signal?: AbortSignal | undefined;
  /** The folder that the file lies in. */
  readonly siblings?: Collection | undefined;
  /** Of {@link newProbeMemory}, for one file after the other; each content gets its own without. */
  readonly memory?: Uint8Array;
}

/** What was found in one file. */
export interface SourceResult {
  readonly verdict: Verdict;
  /** Ids of the scanners that recognised the file itself, not what it contains. */
  readonly formats: readonly string[];
  readonly findings: readonly Finding[];
  /** No scanner knows it, and it is neither text nor another harmless content. */
  readonly unknown: boolean;
}

const HEAD = 4096;
const TAIL = 68 * 1024;

/**
 * Scans one content with everything nested in it. Only cancellation throws (`run/cancelled`); all else that goes wrong is a
 * finding. Whether an unknown content is a finding is for the caller to say, who knows who vouched for it.
 */
export async function scanSource(source: ByteSource, scan: SourceScan): Promise<SourceResult> {
  const record = new FindingList(scan.budget.limits.findings);
  const look = new Look(scan, record, { file: scan.file, inner: [] }, scan.siblings);
  const { formats, plain } = await look.content(baseName(scan.file), source);
  return {
    verdict: record.verdict,
    formats,
    findings: record.findings,
    unknown: formats.length === 0 && !plain && record.findings.length === 0,
  };
}

/** Scans files that lie together for what they mean together. Only cancellation throws. */
export async function scanCollection(collection: Collection, scan: SourceScan): Promise<SourceResult> {
  const record = new FindingList(scan.budget.limits.findings);
  const look = new Look(scan, record, { file: scan.file, inner: [] }, undefined);
  const formats = await look.together(collection);
  return { verdict: record.verdict, formats, findings: record.findings, unknown: false };
}

/** The findings of one file, bounded; the verdict counts those that were not kept, too. */
class FindingList {
  readonly findings: Finding[] = [];
  verdict: Verdict = 'clean';
  readonly #seen = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(rule: Rule, place: Place, what: string): void {
    const worse = worstVerdict([this.verdict, rule.verdict]);
    const key = rule.id === ENGINE_RULES.limit.id ? rule.id : `${rule.id}\0${placeText(place)}\0${what}`;
    if (this.#seen.has(key) || (this.findings.length >= this.#most && worse === this.verdict)) return;
    this.#seen.add(key);
    this.verdict = worse;
    this.findings.push({ rule, place, what: what.length > 500 ? `${what.slice(0, 499)}…` : what });
  }
}

/** One level of looking: a content, or what lies in it. */
class Look {
  readonly #scan: SourceScan;
  readonly #record: FindingList;
  readonly #place: Place;
  readonly #siblings: Collection | undefined;

  constructor(scan: SourceScan, record: FindingList, place: Place, siblings: Collection | undefined) {
    this.#scan = scan;
    this.#record = record;
    this.#place = place;
    this.#siblings = siblings;
  }

  /** Shows a content to every scanner. */
  async content(name: string, raw: ByteSource): Promise<{ formats: readonly string[]; plain: boolean }> {
    const { budget } = this.#scan;
    const source = boundedSource(raw, budget, placeText(this.#place));
    const formats: string[] = [];
    const recognised: Scanner[] = [];
    let plain = true;
    // All look before one reads on: what lies inside is looked at in the same memory.
    await this.#guarded(async () => {
      const probe = await probeOf(name, source, budget, this.#scan.memory);
      for (const scanner of this.#scan.scanners)
        await this.#guarded(async () => {
          if (await scanner.recognises(probe)) recognised.push(scanner);
        });
      plain = isPlain(probe);
    });
    const context = this.#context(name);
    for (const scanner of recognised) {
      formats.push(scanner.id);
      await this.#guarded(async () => {
        if ((await scanner.scan(source, context)) === 'another format') formats.pop();
      });
    }
    return { formats, plain };
  }

  /** Shows files to every collection scanner. */
  async together(collection: Collection): Promise<readonly string[]> {
    const formats: string[] = [];
    for (const scanner of this.#scan.collectionScanners) {
      await this.#guarded(async () => {
        if (!scanner.recognises(collection)) return;
        formats.push(scanner.id);
        await scanner.scan(collection, this.#context(''));
      });
    }
    return formats;
  }

  #context(name: string): ScanContext {
    const { budget, signal } = this.#scan;
    return {
      name,
      where: placeText(this.#place),
      budget,
      signal,
      siblings: this.#siblings,
      report: (rule, what, offset) => this.#record.add(rule, { ...this.#place, offset }, what),
      nested: async (inner, source) => (await this.#nested(inner, source, undefined)) !== 'unknown',
      members: (collection) => this.#members(collection),
    };
  }

  async #nested(name: string, source: ByteSource, siblings: Collection | undefined) {
    const place = { file: this.#place.file, inner: [...this.#place.inner, name] };
    const inner = new Look(this.#scan, this.#record, place, siblings);
    if (place.inner.length > this.#scan.budget.limits.depth) {
      this.#record.add(ENGINE_RULES.limit, place, `nested ${place.inner.length} levels deep`);
      return 'read';
    }
    const before = this.#record.findings.length;
    const { formats, plain } = await inner.content(name, source);
    return formats.length > 0 || plain || this.#record.findings.length > before ? 'read' : 'unknown';
  }

  async #members(given: Collection): Promise<void> {
    const vouched = new Set<string>();
    const collection: Collection = {
      ...given,
      vouch(name) {
        vouched.add(name);
        given.vouch(name);
      },
    };
    await this.together(collection);
    const unknown: string[] = [];
    for (const { name } of given.members) {
      const inner = new Look(
        this.#scan,
        this.#record,
        { file: this.#place.file, inner: [...this.#place.inner, name] },
        collection,
      );
      await inner.#guarded(async () => {
        this.#scan.budget.entries(1);
        const source = await given.open(name);
        try {
          if ((await this.#nested(name, source, collection)) === 'unknown') unknown.push(name);
        } finally {
          await source.close();
        }
      });
    }
    for (const name of unknown) {
      if (vouched.has(name)) continue;
      const place = { file: this.#place.file, inner: [...this.#place.inner, name] };
      this.#record.add(ENGINE_RULES.unknownFormat, place, 'no scanner knows it');
    }
  }

  /** Runs `work`; what it throws becomes a finding at this place. Cancellation passes. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      if (thrown instanceof GlacisError && thrown.code === 'run/cancelled') throw thrown;
      const { code, message } = asGlacisError(thrown, 'run/failed', 'scan');
      const rule =
        code === 'scan/limit'
          ? ENGINE_RULES.limit
          : code === 'data/unreadable' || code === 'model/unreadable'
            ? ENGINE_RULES.damaged
            : ENGINE_RULES.failed;
      this.#record.add(rule, this.#place, message);
    }
  }
}

async function probeOf(
  name: string,
  source: ByteSource,
  budget: Budget,
  memory = newProbeMemory(),
): Promise<Probe> {
  const { size } = source;
  const head = await part(source, 0, memory.subarray(0, Math.min(HEAD, size)));
  const end = memory.subarray(HEAD, HEAD + Math.min(TAIL, size));
  const tail = size <= HEAD ? head : await part(source, size - end.length, end);
  return { name, size, head, tail, source, budget };
}

/** The bytes of `source` from `offset` on: in `target`, or where they lie already. */
async function part(source: ByteSource, offset: number, target: Uint8Array): Promise<Uint8Array> {
  if (source.readInto === undefined) return source.read(offset, target.length);
  await source.readInto(offset, target);
  return target;
}

/** Memory for what is looked at first of each content; new memory costs more than what is read into it. */
export function newProbeMemory(): Uint8Array {
  return new Uint8Array(HEAD + TAIL);
}

/** A source that no scanner can make read more at once than the limits allow, or longer than the time that is left. */
function boundedSource(source: ByteSource, budget: Budget, where: string): ByteSource {
  const spend = (length: number) => {
    if (length > budget.limits.readBytes)
      throw new GlacisError(
        'scan/limit',
        `${where}: expected to read at most ${budget.limits.readBytes} bytes at once, got ${length}`,
      );
    budget.step(16);
  };
  return {
    size: source.size,
    async read(offset, length) {
      spend(length);
      return source.read(offset, length);
    },
    ...(source.readInto && {
      readInto: async (offset, target) => {
        spend(target.length);
        await source.readInto!(offset, target);
      },
    }),
    close: () => source.close(),
  };
}

function baseName(path: string): string {
  return path.replace(/^.*[\\/]/, '');
}
