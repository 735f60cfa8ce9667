import type { ModelStatus } from '../../../src/gateway/backend/model-status.ts';
import { Card, Opening } from '../../parts/card.tsx';
import { Digest } from '../../parts/digest.tsx';
import { Facts } from '../../parts/field.tsx';
import { bytes, counted, share } from '../../parts/format.ts';
import { Text } from '../../parts/text.tsx';
import { Link, pathTo } from '../../shell/router.tsx';
import { CheckTags } from './checks.tsx';
import { Recheck } from './recheck.tsx';
import { inService, Load, Standing } from './standing.tsx';

/** What is served, and what it needs in memory. */
export interface ModelList {
  readonly models: readonly ModelStatus[];
  readonly memory: { readonly used: number; readonly limit: number };
}

/** All models, each in a card. */
export function All({ of: { models, memory } }: { readonly of: ModelList }) {
  const unchecked = models.filter(
    (each) => inService(each)?.checks.every(({ check }) => check === 'as-given') ?? false,
  );
  const stopped = models.filter((each) => inService(each)?.stopped !== undefined);
  return (
    <>
      {models.length === 0 ? (
        <Opening chip="Nothing served" title="No model is served yet.">
          Name one in <code>glacis.yaml</code>: <code>serve: models: NAME: file: model.onnx</code>, with a{' '}
          <code>check</code> that says what vouches for it. Then reload on the page Policy.
        </Opening>
      ) : (
        <Opening
          chip={stopped.length > 0 ? 'Stopped' : unchecked.length > 0 ? 'Unchecked' : 'Vouched for'}
          tone={stopped.length > 0 ? 'changed' : unchecked.length > 0 ? 'warn' : 'held'}
          title={
            stopped.length > 0
              ? `${counted(stopped.length, 'model')} stopped.`
              : unchecked.length > 0
                ? `${counted(unchecked.length, 'model is', 'models are')} served without a check.`
                : `${counted(models.length, 'model')}, each vouched for.`
          }
          side={<Recheck />}
        >
          {bytes(memory.used)} of weights in memory, {share(memory.used / Math.max(1, memory.limit))} of what
          is allowed.
        </Opening>
      )}
      <div class="columns">
        {models.map((each) => (
          <ModelCard key={each.model} of={each} />
        ))}
      </div>
    </>
  );
}

function ModelCard({ of }: { readonly of: ModelStatus }) {
  const now = inService(of);
  return (
    <Card
      title={
        <Link to={pathTo('models', of.model)}>
          <Text of={of.model} most={40} />
        </Link>
      }
      side={<Standing of={now} />}
      {...(now?.stopped === undefined ? {} : { tone: 'alarmed' as const })}
    >
      <Facts
        of={[
          [
            'In service',
            <>
              version{' '}
              <b>
                <Text of={of.use} most={24} />
              </b>{' '}
              <Digest of={now?.digest} />
            </>,
          ],
          of.canary !== undefined && [
            'Canary',
            <>
              version{' '}
              <b>
                <Text of={of.canary.version} most={24} />
              </b>{' '}
              for {share(of.canary.share)} of the clients
            </>,
          ],
          of.shadow !== undefined && [
            'Shadow',
            <>
              version{' '}
              <b>
                <Text of={of.shadow.version} most={24} />
              </b>{' '}
              for {share(of.shadow.share)} of the requests
            </>,
          ],
          [
            'Before',
            of.previous === undefined ? (
              <span class="none">nothing to go back to</span>
            ) : (
              <>
                version{' '}
                <b>
                  <Text of={of.previous.version} most={24} />
                </b>
              </>
            ),
          ],
          ['Vouched by', now === undefined ? <span class="none">–</span> : <CheckTags of={now} />],
          ['Busy', now === undefined ? '–' : <Load of={now} />],
        ]}
      />
    </Card>
  );
}
