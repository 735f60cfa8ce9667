import { hash } from 'node:crypto';
import { asGlacisError, type GlacisError } from '../../core/error.ts';
import { askedContext } from './cedar/asked-context.ts';
import { type Cedar, type CedarEngine, cedarEngine, freshCedar } from './cedar/engine.ts';
import { type PolicyText, readPolicyFiles } from './cedar/policy-files.ts';
import { type ReadPolicy, readPolicies } from './cedar/read-policies.ts';

/** Where the policies of one side come from. */
export interface PolicySource {
  readonly schema: string;
  /** Files and folders; none: the default alone. */
  readonly paths: readonly string[];
  /** The default policies, and whether they hold beside the files. */
  readonly standard: PolicyText;
  readonly withStandard: boolean;
}

/** The policies of one side that are in force. */
export interface PolicySet {
  /** Asks them. Errors: `run/failed`. */
  ask: CedarEngine['ask'];
  /** Attributes of the context that some policy looks at; undefined: any. */
  readonly asked: ReadonlySet<string> | undefined;
  readonly policies: readonly ReadPolicy[];
  /** `sha256:` of the policies in force, for the log. */
  readonly digest: string;
  /** Why the last {@link prepare} failed; undefined after one that worked. */
  readonly problem: GlacisError | undefined;
  /**
   * Reads the policies again. Nothing changes before the function that it gives is called, which puts all of them in force and cannot fail.
   * Errors: `policy/invalid`, which is also kept as {@link problem}; the old ones stay in force.
   */
  prepare(): Promise<() => void>;
}

/** What a set needs from outside. */
export interface PolicySetSurroundings {
  /** Called whenever other policies are in force. */
  readonly changed: () => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  /** Gives an instance of Cedar; {@link freshCedar} without. */
  readonly fresh?: () => Cedar;
}

/** Least time between two mends of a broken instance, in milliseconds. */
const MEND_EVERY = 10_000;

/** Reads policies and puts them in force. Errors: `policy/invalid`. */
export async function openPolicySet(
  source: PolicySource,
  { changed, clock, fresh = freshCedar }: PolicySetSurroundings,
): Promise<PolicySet> {
  const { schema, paths, standard, withStandard } = source;
  let policies: readonly ReadPolicy[] = [];
  let asked: ReadonlySet<string> | undefined;
  let engine: CedarEngine | undefined;
  let problem: GlacisError | undefined;
  let mended = Number.NEGATIVE_INFINITY;
  let digest = '';
  const prepare = async (): Promise<() => void> => {
    try {
      const files = await readPolicyFiles(paths);
      const texts = paths.length === 0 || withStandard ? [standard, ...files] : files;
      // In an instance of their own: what breaks it does not touch the policies in force.
      const cedar = fresh();
      const read = readPolicies(cedar, schema, texts);
      const next = cedarEngine(cedar, schema, read);
      problem = undefined;
      return () => {
        engine = next;
        policies = read;
        asked = askedContext(read.map(({ json }) => json));
        digest = `sha256:${hash('sha256', JSON.stringify(read.map(({ id, text }) => [id, text])), 'hex')}`;
        changed();
      };
    } catch (thrown) {
      problem = asGlacisError(thrown, 'policy/invalid', 'policies');
      throw problem;
    }
  };
  (await prepare())();
  return {
    ask(question) {
      try {
        return engine!.ask(question);
      } catch (thrown) {
        // What WebAssembly throws where it went out of bounds, or its stack ended.
        const isBroken =
          thrown instanceof RangeError || (thrown instanceof Error && thrown.name === 'RuntimeError');
        if (isBroken && clock() - mended >= MEND_EVERY) {
          mended = clock();
          engine = cedarEngine(fresh(), schema, policies);
        }
        throw asGlacisError(thrown, 'run/failed', 'policies');
      }
    },
    get asked() {
      return asked;
    },
    get policies() {
      return policies;
    },
    get problem() {
      return problem;
    },
    get digest() {
      return digest;
    },
    prepare,
  };
}

/** What a decision was made of, for the log: `allowed by customers`, `forbidden by night-rest`, `no policy allows it`. */
export function becauseOf(isAllowed: boolean, policies: readonly string[]): string {
  if (policies.length === 0) return 'no policy allows it';
  return `${isAllowed ? 'allowed' : 'forbidden'} by ${policies.join(', ')}`;
}
