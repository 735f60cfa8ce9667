import type { ImpactScope } from '../../../src/gateway/console/api.ts';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';

const NAMES = [
  ['principal', 'client'],
  ['tenant', 'tenant'],
  ['model', 'model'],
  ['version', 'version'],
  ['digest', 'file'],
  ['feed', 'feed'],
  ['data', 'models trained on'],
] as const;

/** What was asked for, in words: all of it must hold. */
export function ScopeWords({
  of,
  against,
}: {
  readonly of: ImpactScope;
  readonly against?: string | undefined;
}) {
  const said = NAMES.filter(([key]) => of[key] !== undefined);
  return (
    <>
      Decisions{said.length === 0 && ' of everybody'}
      {said.map(([key, words], i) => (
        <span key={key}>
          {i === 0 ? ' of ' : ', '}
          {words}{' '}
          <b>
            <Text of={of[key]} most={40} />
          </b>
        </span>
      ))}
      {of.from !== undefined && (
        <>
          , from <Time at={of.from} />
        </>
      )}
      {of.to !== undefined && (
        <>
          {' '}
          to <Time at={of.to} />
        </>
      )}
      {against !== undefined && (
        <>
          , replayed by version{' '}
          <b>
            <Text of={against} most={24} />
          </b>
        </>
      )}
      .
    </>
  );
}
