/** A client as far as it may be one of a crowd. */
export interface Tied {
  readonly number: number;
  /** Meetings with others, by their number. */
  readonly partners: ReadonlyMap<number, number>;
}

/** Clients that behave as one, as far as one can tell. */
export interface Crowd<Client> {
  readonly members: readonly Client[];
  /** Those of them who are told: the evidence rests on all, the blame not on who met others almost as often. */
  readonly named: readonly Client[];
  /** ln of the evidence that they are no separate clients; −∞ where they are no crowd. */
  readonly evidence: number;
}

/** Fewest clients of a crowd. */
export const FEWEST_KEYS = 3;

/** ln of the evidence that a member brings at least, and that each of the first {@link FEWEST_KEYS} brings: e³ = 20 to 1. Where a crowd is tied, the others need no more than the first. */
export const PART = 1;
const CORE = 3;

/** Clients of a crowd that are looked at, and how often two must have met to be one hand. */
const MOST_KEYS = 128;
const MET = 2;

/**
 * Shares of a client's meetings that are with the crowd, from which it is part of it and from which it is named. Whoever met others as often, such as a camera beside whose pictures lures are sent, is tied by chance: of calm
 * clients that were (development seeds, bench/ours/monitors) none had more than 0.58, of an attack's keys three quarters had more than 0.6.
 */
const WITHIN = 0.5;
const NAMED = 0.6;

/** Each client is suspected with this chance beforehand. */
const PRIOR = 1 / 16;

/**
 * Clients that met this one, and those that met them, as far as they are suspicious by themselves and met the crowd rather than others; the least tied is left out first. `evidenceOf` gives ln of a client's own evidence, `kinds` the
 * same by kind of tie: only who brings some of the kind that ties the crowd most is named, not who was met by the other alone. Cost: at most 128 clients with their partners, squared.
 */
export function crowdAround<Client extends Tied>(
  client: Client,
  byNumber: ReadonlyMap<number, Client>,
  evidenceOf: (client: Client) => number,
  kinds: readonly ((client: Client) => number)[] = [evidenceOf],
): Crowd<Client> {
  const members = new Set([client]);
  for (const member of members) {
    if (members.size >= MOST_KEYS) break;
    for (const [number, met] of member.partners) {
      const other = met >= MET ? byNumber.get(number) : undefined;
      if (other !== undefined && evidenceOf(other) > PART) members.add(other);
    }
  }
  const ties = tiesOf(members);
  for (let loose = loosest(ties); loose !== undefined; loose = loosest(ties)) {
    ties.delete(loose);
    for (const [member, tie] of ties) tie.within -= member.partners.get(loose.number) ?? 0;
  }
  let [evidence, core] = [0, 0];
  for (const member of ties.keys()) {
    const own = evidenceOf(member);
    if (own > CORE) core++;
    evidence += own > 30 ? own + Math.log(PRIOR) : Math.log(1 - PRIOR + PRIOR * Math.exp(Math.max(-50, own)));
  }
  const tying = tyingKind([...ties.keys()], kinds);
  return {
    members: [...ties.keys()],
    named: [...ties].flatMap(([member, tie]) =>
      shareOf(tie) >= NAMED && tying(member) > PART ? [member] : [],
    ),
    evidence: core < FEWEST_KEYS ? Number.NEGATIVE_INFINITY : evidence,
  };
}

/** Meetings of a member, with the others and with anybody. */
interface Tie {
  within: number;
  readonly all: number;
}

const shareOf = ({ within, all }: Tie): number => (all === 0 ? 1 : within / all);

function tiesOf<Client extends Tied>(members: ReadonlySet<Client>): Map<Client, Tie> {
  const numbers = new Set([...members].map(({ number }) => number));
  return new Map(
    [...members].map((member) => {
      let [within, all] = [0, 0];
      for (const [number, met] of member.partners) {
        all += met;
        if (numbers.has(number)) within += met;
      }
      return [member, { within, all }];
    }),
  );
}

/** Who is tied least, where that is too little. */
function loosest<Client>(ties: ReadonlyMap<Client, Tie>): Client | undefined {
  let [least, found] = [WITHIN, undefined as Client | undefined];
  for (const [member, tie] of ties) if (shareOf(tie) < least) [least, found] = [shareOf(tie), member];
  return found;
}

/** The kind of tie of which the members bring the most evidence together. */
function tyingKind<Client>(
  members: readonly Client[],
  kinds: readonly ((client: Client) => number)[],
): (client: Client) => number {
  const sums = kinds.map((kind) => members.reduce((sum, member) => sum + Math.max(0, kind(member)), 0));
  return kinds[sums.indexOf(Math.max(...sums))]!;
}
