import type { PolicyView, RequirementView } from '../../../src/gateway/console/api.ts';
import { Badge } from '../../parts/badge.tsx';
import { Card } from '../../parts/card.tsx';
import { Digest } from '../../parts/digest.tsx';
import { Empty } from '../../parts/empty.tsx';
import { titled } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Text } from '../../parts/text.tsx';
import { Link, pathTo } from '../../shell/router.tsx';

const STATES: Readonly<
  Record<
    RequirementView['state'],
    {
      readonly icon: 'done' | 'close' | 'clock' | 'person' | 'shield';
      readonly class: string;
      readonly words: string;
    }
  >
> = {
  met: { icon: 'done', class: 'good', words: 'met' },
  'not-met': { icon: 'close', class: 'bad', words: 'not met' },
  missing: { icon: 'clock', class: 'unchecked', words: 'nothing shows it' },
  excepted: { icon: 'person', class: 'unchecked', words: 'let pass' },
  none: { icon: 'shield', class: 'rest', words: 'nothing required' },
};

/** What is required of each model and how that stands. */
export function Requirements({ models }: { readonly models: PolicyView['models'] }) {
  if (models.length === 0)
    return (
      <Card>
        <Empty title="No model is configured" icon="models">
          Name one under <code>serve.models</code>.
        </Empty>
      </Card>
    );
  return (
    <div class="columns">
      {models.map((each) => (
        <Model key={`${each.model} ${each.version}`} of={each} />
      ))}
    </div>
  );
}

function Model({
  of: { model, version, digest, stage, served, requirements },
}: {
  readonly of: PolicyView['models'][number];
}) {
  // What is required at the stage that it must pass counts; what other stages ask for is good to know.
  const gating = requirements.filter((each) => each.stage === undefined || each.stage === stage);
  const others = [
    ...Map.groupBy(
      requirements.filter((each) => !gating.includes(each)),
      ({ stage: other }) => other!,
    ).entries(),
  ];
  const isOpen = gating.some(({ state }) => state === 'not-met' || state === 'missing');
  const isBare = gating.every(({ state }) => state === 'none');
  return (
    <Card
      tone={!served || isOpen ? 'alarmed' : isBare ? undefined : 'held'}
      title={
        <Link to={pathTo('models', model)}>
          <Text of={model} />{' '}
          <span class="muted">
            version <Text of={version} />
          </span>
        </Link>
      }
      side={
        !served ? (
          <Badge tone="changed">Not served</Badge>
        ) : isOpen ? (
          <Badge tone="warn">Not met any more</Badge>
        ) : isBare ? (
          <Badge>Nothing required</Badge>
        ) : gating.some(({ state }) => state === 'excepted') ? (
          <Badge tone="warn">Met, but for exceptions</Badge>
        ) : (
          <Badge tone="held">All met</Badge>
        )
      }
    >
      {digest !== undefined && (
        <p class="muted small">
          <Digest of={digest} most={20} />
          {stage !== undefined && (
            <>
              {' '}
              let through to{' '}
              <b>
                <Text of={stage} />
              </b>
            </>
          )}
        </p>
      )}
      <List of={gating} />
      {others.map(([other, list]) => (
        <details key={other}>
          <summary>
            For <Text of={other} />:{' '}
            {list.filter(({ state }) => state === 'met' || state === 'excepted').length} of {list.length} met
          </summary>
          <List of={list} />
        </details>
      ))}
    </Card>
  );
}

function List({ of }: { readonly of: readonly RequirementView[] }) {
  return (
    <ul class="checks">
      {of.map(({ name, says, state, because, stage }, i) => (
        <li key={`${name} ${stage} ${i}`} class={STATES[state].class}>
          <Icon name={STATES[state].icon} size={17} />
          <div>
            <b>
              <Text of={says} most={200} />
            </b>
            <p class="muted">
              {titled(STATES[state].words)}: <Text of={because} most={400} />
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}
