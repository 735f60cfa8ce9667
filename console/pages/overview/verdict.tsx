import type { Overview } from '../../../src/gateway/console/api.ts';
import type { Case } from '../../../src/incident/case.ts';
import { Opening } from '../../parts/card.tsx';
import { Who } from '../../parts/case-row.tsx';
import { count, counted, percent, span } from '../../parts/format.ts';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';

/** One sentence about how things are, and one about the worst of it. */
export function Verdict({ of, cases }: { readonly of: Overview; readonly cases: readonly Case[] }) {
  const urgent = cases.filter(({ state }) => state === 'open' || state === 'working');
  const broken = of.health.filter(({ ok }) => !ok);
  const stopped = of.models.filter(
    ({ versions, use }) => versions.find(({ version }) => version === use)?.stopped !== undefined,
  );
  const [worst] = urgent;
  if (of.models.length === 0) {
    return (
      <Opening chip="Nothing served" title="No model is served yet.">
        Name one in <code>glacis.yaml</code> below <code>serve: models:</code>, then reload. What is asked and
        answered appears here by itself.
      </Opening>
    );
  }
  if (stopped.length > 0) {
    return (
      <Opening
        chip="Not answering"
        tone="changed"
        title={
          <>
            <Text of={stopped[0]!.model} most={40} /> does not answer.
          </>
        }
      >
        <Text of={stopped[0]!.versions.find(({ stopped: why }) => why !== undefined)?.stopped} most={300} />
      </Opening>
    );
  }
  if (worst !== undefined) {
    const bad = worst.severity === 'critical' || worst.severity === 'high';
    return (
      <Opening
        chip={bad ? 'Needs you now' : 'Needs a look'}
        tone={bad ? 'changed' : 'warn'}
        title={
          urgent.length === 1 ? 'One case waits for a person.' : `${urgent.length} cases wait for a person.`
        }
      >
        The worst is {worst.kind === 'attack' ? 'an attack by ' : 'about '}
        {worst.kind === 'attack' ? (
          <Who of={worst.principals} />
        ) : (
          <b>
            <Text of={worst.models[0]} most={40} />
          </b>
        )}
        {worst.kind === 'attack' && worst.models[0] !== undefined && (
          <>
            {' '}
            on{' '}
            <b>
              <Text of={worst.models[0]} most={40} />
            </b>
          </>
        )}
        , since <Time at={worst.first} />.{' '}
        {worst.containedAfter === undefined ? 'Nothing was done against it yet.' : 'A measure is in force.'}{' '}
        {broken.length > 0 &&
          `${counted(broken.length, 'part')} of the gateway ${broken.length === 1 ? 'is' : 'are'} not well.`}
      </Opening>
    );
  }
  if (broken.length > 0) {
    return (
      <Opening chip="Not well" tone="warn" title={<>{broken[0]!.part}: not well.</>}>
        <Text of={broken[0]!.because} most={300} />
      </Opening>
    );
  }
  const [latest] = cases.toSorted((a, b) => b.first - a.first);
  if (latest !== undefined) {
    const attacks = cases.filter(({ kind }) => kind === 'attack');
    return (
      <Opening
        chip="Contained"
        tone="held"
        title={
          attacks.length === cases.length
            ? attacks.length === 1
              ? 'An attack was stopped.'
              : `${attacks.length} attacks were stopped.`
            : `${counted(cases.length, 'case is', 'cases are')} contained.`
        }
      >
        The latest:{' '}
        <b>
          <Text of={latest.title} most={140} />
        </b>
        {latest.containedAfter !== undefined &&
          `, stopped after ${counted(latest.queries, 'query', 'queries')}, within ${span(latest.containedAfter)}`}
        . Look at what was affected, then close {cases.length === 1 ? 'it' : 'them'}.{' '}
        {of.reviews > 0 && `${counted(of.reviews, 'answer is', 'answers are')} held for a person.`}
      </Opening>
    );
  }
  if (of.reviews > 0) {
    return (
      <Opening
        chip="Needs a look"
        tone="warn"
        title={`${counted(of.reviews, 'answer waits', 'answers wait')} for a person.`}
      >
        The second model saw something else in them, so nobody has got them yet. Everything else is well:{' '}
        {count(of.hour.requests)} requests of {counted(of.hour.clients, 'client')} in the last hour.
      </Opening>
    );
  }
  return (
    <Opening
      chip="All is well"
      tone="held"
      title={`${counted(of.models.length, 'model')} served, and nothing needs you.`}
    >
      {count(of.hour.requests)} requests of {counted(of.hour.clients, 'client')} in the last hour,{' '}
      {percent(of.hour.refused / Math.max(1, of.hour.requests))} of them refused.
    </Opening>
  );
}
