import type { PolicyView } from '../../../src/gateway/console/api.ts';
import { tell } from '../../data/ask.ts';
import { touch } from '../../data/query.ts';
import { Button } from '../../parts/button.tsx';
import { Opening } from '../../parts/card.tsx';
import { counted } from '../../parts/format.ts';
import { confirm } from '../../shell/confirm.tsx';
import { said } from '../../shell/toast.tsx';

/** Whether what is required is met, and the way to read the configuration again. */
export function Head({ policy, mayReload }: { readonly policy: PolicyView; readonly mayReload: boolean }) {
  const isBad = ({ served, stage, requirements }: PolicyView['models'][number]) =>
    !served ||
    requirements.some(
      (each) =>
        (each.stage === undefined || each.stage === stage) &&
        (each.state === 'not-met' || each.state === 'missing'),
    );
  const bad = policy.models.filter(isBad).length;
  const bare = policy.models.filter(({ stage, requirements }) =>
    requirements
      .filter((each) => each.stage === undefined || each.stage === stage)
      .every(({ state }) => state === 'none'),
  ).length;
  const reload = async (): Promise<void> => {
    const given = await confirm({
      title: 'Read the configuration again?',
      action: 'Reload',
      children: (
        <p>
          Models, guards, answers and rights of the file as it is now go into force, all of it or nothing.
          Budgets, rates and addresses stay until a restart.
        </p>
      ),
    });
    if (given === undefined) return;
    await tell('/api/reload');
    touch('/api/policy', '/api/models', '/api/overview');
    said('The configuration was read again and is in force.');
  };
  return (
    <Opening
      chip={
        bad > 0
          ? `${counted(bad, 'model needs', 'models need')} a look`
          : policy.models.length === 0
            ? undefined
            : 'All that is required is met'
      }
      tone={bad > 0 ? 'changed' : 'held'}
      title="What is required, and met"
      side={
        mayReload && (
          <Button icon="refresh" onPress={reload}>
            Reload
          </Button>
        )
      }
    >
      {policy.models.length === 0
        ? 'No model is configured.'
        : bare > 0
          ? `${counted(bare, 'model is', 'models are')} served with nothing required of ${bare === 1 ? 'it' : 'them'}: sign, or ask for evidence at a stage.`
          : 'Each model shows evidence before it is opened. What is not admitted is not served.'}
    </Opening>
  );
}
