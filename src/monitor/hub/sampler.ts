/** Chooses whose samples are sketched. */
export interface Sampler {
  /** How many of a call's first samples are sketched. */
  take(principal: string, n: number): number;
  /** Principals whose samples are all sketched, as far as the rate allows it twice over. */
  suspect(principals: readonly string[]): void;
}

/** What it goes by. */
export interface SamplerSettings {
  /** Samples of one call, at most. */
  readonly samples: number;
  /** Samples a second, at most; suspects may take as many again. */
  readonly perSecond: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
}

/** Principals share so many counters by a hash of their names. */
const SLOTS = 1024;

/**
 * Shares the sketches of each second out fairly: a principal takes what it asks for while there is plenty; from half of the rate on, an equal share of it alone, so that one who floods leaves others in sight.
 * Cost: well below a microsecond; memory does not grow.
 */
export function openSampler({ samples, perSecond, clock }: SamplerSettings): Sampler {
  const taken = new Uint32Array(SLOTS);
  const seconds = new Float64Array(SLOTS).fill(-1);
  let suspects: ReadonlySet<string> = new Set();
  let [second, total, active, before, forSuspects] = [-1, 0, 0, 1, 0];
  return {
    take(principal, n) {
      const now = Math.floor(clock() / 1000);
      if (now !== second) {
        before = Math.max(1, active);
        [second, total, active, forSuspects] = [now, 0, 0, 0];
      }
      const slot = slotOf(principal);
      if (seconds[slot] !== now) {
        seconds[slot] = now;
        taken[slot] = 0;
        active++;
      }
      const wanted = Math.min(samples, n);
      const share = Math.max(1, Math.floor(perSecond / Math.max(before, active)));
      const room = perSecond - total;
      const own = total < perSecond / 2 ? wanted : Math.min(wanted, Math.max(0, share - taken[slot]!));
      let given = Math.max(0, Math.min(own, room));
      total += given;
      if (given < wanted && suspects.has(principal)) {
        const more = Math.max(0, Math.min(wanted - given, perSecond - forSuspects));
        forSuspects += more;
        given += more;
      }
      taken[slot]! += given;
      return given;
    },
    suspect(principals) {
      suspects = new Set(principals);
    },
  };
}

function slotOf(name: string): number {
  let hash = 0x811c9dc5;
  // The end tells principals of one tenant apart; the length bounds the cost.
  for (let i = Math.max(0, name.length - 64); i < name.length; i++)
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 16)) & (SLOTS - 1);
}
