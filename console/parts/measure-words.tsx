import type { ComponentChildren } from 'preact';
import type { Measure, OrderTarget, OrderWish } from '../../src/incident/order.ts';
import { Text } from './text.tsx';

const KINDS: Readonly<Record<keyof OrderTarget, string>> = {
  ...{ principal: 'client', tenant: 'tenant', credential: 'key', address: 'address', model: 'model' },
};

/** Whom or what a measure is for. */
export function Target({ of }: { readonly of: OrderTarget }) {
  const parts = (['principal', 'tenant', 'credential', 'address', 'model'] as const).filter(
    (key) => of[key] !== undefined,
  );
  if (parts.length === 0) return <b>everybody</b>;
  return (
    <>
      {parts.map((key, i) => (
        <span key={key}>
          {i > 0 && ', '}
          {(key !== 'principal' || parts.length > 1) && `${KINDS[key]} `}
          <b>
            <Text of={of[key]} most={48} />
          </b>
        </span>
      ))}
    </>
  );
}

const GUARD_ACTIONS = {
  flag: 'are noted',
  degrade: 'leave the class alone',
  refuse: 'refuse the request',
} as const;

/** A measure in a sentence: what is done to whom. */
export function MeasureSentence({ of }: { readonly of: OrderWish }): ComponentChildren {
  const target = <Target of={of.target} />;
  switch (of.measure) {
    case 'throttle':
      return (
        <>
          {target} may ask {of.perMinute ?? 'fewer'} times a minute
        </>
      );
    case 'degrade':
      return (
        <>
          {target} gets {of.detail === 'scores' ? 'scores at most' : 'the class alone'}
        </>
      );
    case 'quarantine':
      return <>{target} gets no answers</>;
    case 'guard':
      return (
        <>
          The guard{' '}
          <b>
            <Text of={of.guard?.name} most={40} />
          </b>{' '}
          is{' '}
          {of.guard === undefined
            ? 'stricter'
            : of.guard.strictness === 1
              ? 'as strict as before'
              : `${Number((1 / of.guard.strictness).toPrecision(3))} times as strict`}
          {of.guard?.action !== undefined && `, and its alarms ${GUARD_ACTIONS[of.guard.action]},`} for{' '}
          {target}
        </>
      );
    case 'verify':
      return <>The verifying model answers for {target}</>;
    case 'pause':
      return <>{target} answers nothing</>;
    case 'rollback':
      return <>{target} goes back to the version before</>;
    case 'freeze':
      return <>Nothing in the registry is promoted</>;
    default:
      return (
        <>
          <Text of={String(of.measure)} most={30} /> for {target}
        </>
      );
  }
}

/** What people feel of it, and how it ends: for the question before it. */
export const CONSEQUENCES: Readonly<Record<Measure, string>> = {
  throttle:
    'Further requests are refused with “too many requests” until the minute is over. Answers stay as they are.',
  degrade: 'Answers go on, and hold less. Programs that read scores notice it.',
  quarantine: 'Every request is refused at once. If it was a good client, its service stops.',
  guard: 'More requests are flagged or refused, also some of good clients.',
  verify: 'Answers come from the other model: a little slower, with its own mistakes.',
  pause: 'The model refuses all requests, of everybody.',
  rollback:
    'New requests are answered by the version before, within a second, on every gateway of the store.',
  freeze: 'Promotions are refused until it is lifted. What is served goes on.',
};

/** The measure's name as a person says it on a button. */
export const MEASURE_VERBS: Readonly<Record<Measure, string>> = {
  throttle: 'Throttle',
  degrade: 'Degrade',
  quarantine: 'Quarantine',
  guard: 'Raise the guard',
  verify: 'Switch',
  pause: 'Pause',
  rollback: 'Roll back',
  freeze: 'Freeze',
};
