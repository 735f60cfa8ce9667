import { compareSides } from '../harness.ts';
import type { BenchOptions } from '../options.ts';
import type { Row } from '../report.ts';
import { runSide } from '../side.ts';
import { agreementOf, answerOf } from './attack-answers.ts';
import type { AttackCase } from './attack-cases.ts';
import { type Form, oursOf, peerOf } from './attack-sides.ts';

/** A budget is found to a sixteenth of what our attack asks when it is left alone. */
const PARTS = 16;

/**
 * The time to the same figure, of attacks that draw at random and whose examples are nearer than a peer's after as many questions: ours with the
 * smallest budget at which its median distance is at most the peer's, beside that peer once more, in turn. A row for each such peer; none
 * for cases without {@link AttackCase.until}.
 */
export async function soonerRows(
  each: AttackCase,
  { name, timed, ours, comparisons }: Row,
  form: Form,
  { rounds, threads }: Pick<BenchOptions, 'rounds' | 'threads'>,
  progress: (text: string) => void,
): Promise<readonly Row[]> {
  const { until } = each;
  const own = answerOf(ours);
  if (until === undefined || own.asked === undefined) return [];
  const rows: Row[] = [];
  for (const [i, comparison] of comparisons.entries()) {
    const far = answerOf(comparison.peer).median;
    if (far === null || far === undefined || !(own.median! < far)) continue;
    const title = `${name}, as near as ${comparison.peer.name}`;
    progress(title);
    const within = (queries: number): AttackCase => ({
      ...each,
      ours: until.replace('BUDGET', String(queries)),
    });
    const budget = await smallestBudget(own.asked, async (queries) => {
      const { accuracy } = await runSide(oursOf(within(queries), threads));
      progress(`  ${queries} queries: median ${accuracy?.median}, wanted ${far}`);
      return (accuracy?.median ?? Number.POSITIVE_INFINITY) <= far;
    });
    if (budget === undefined) continue;
    const peer = each.peers[i]!;
    const sooner = await compareSides(oursOf(within(budget), threads), [peerOf(each, peer, form, threads)], {
      rounds: Math.min(rounds, each.rounds ?? rounds),
      threads: 1,
      timed,
      progress,
    });
    const { text } = agreementOf(each, sooner.ours, sooner.comparisons[0]!.peer);
    rows.push({
      name: title,
      timed,
      agreement: [`\`${within(budget).ours}\``, text],
      ours: sooner.ours,
      comparisons: sooner.comparisons.map((found) => ({ ...found, wanted: peer.wanted })),
    });
  }
  return rows;
}

/** The smallest sixteenth of `most` that is enough, where every larger one is; `undefined` where less than all is not. */
export async function smallestBudget(
  most: number,
  isEnough: (queries: number) => Promise<boolean>,
): Promise<number | undefined> {
  const at = (part: number) => Math.ceil((most * part) / PARTS);
  let [less, enough] = [0, PARTS];
  while (enough - less > 1) {
    const middle = (less + enough) >> 1;
    if (await isEnough(at(middle))) enough = middle;
    else less = middle;
  }
  return enough === PARTS ? undefined : at(enough);
}
