import { useEffect, useMemo, useState } from 'preact/hooks';
import type { LabAttackInfo, LabInfo } from '../../src/gateway/console/api.ts';
import { pathOf, useQuery } from '../data/query.ts';
import { Meter } from '../parts/bars.tsx';
import { Button } from '../parts/button.tsx';
import { Card, Opening } from '../parts/card.tsx';
import { Empty } from '../parts/empty.tsx';
import { Select } from '../parts/field.tsx';
import { Loaded } from '../parts/loading.tsx';
import { forLab } from '../parts/real-input.tsx';
import { Text } from '../parts/text.tsx';
import type { PageProps } from '../shell/routes.ts';
import { Controls, type Setting, settingFor } from './lab/controls.tsx';
import { type Chosen, Inputs } from './lab/inputs.tsx';
import { Outcome } from './lab/outcome.tsx';
import { frameOf } from './lab/paint.ts';
import { useTrial } from './lab/trial.ts';
import { KNOWLEDGE } from './lab/words.ts';

/** The attack that a newcomer sees first. */
const FIRST = 'pgd';

/** Take an input, choose an attack, and see the picture change and the decision flip. */
export default function LabPage({ query }: PageProps) {
  const [name, setName] = useState(query.get('model') ?? undefined);
  const info = useQuery<LabInfo>(pathOf('/api/lab', { model: name }));
  return (
    <>
      <Opening title="See how little it takes">
        Take an input, choose how much an attacker knows, and watch the decision. Everything runs on the very
        file that is served, in a process beside the service: nobody’s answer changes.
      </Opening>
      <Loaded query={info} what="the lab" lines={8}>
        {(data) =>
          data.models.length === 0 ? (
            <Empty title="There is no model that the lab can try" icon="lab">
              It tries models with one input of floats and one output of scores, up to 65,536 values an input.
              Serve one, or look at <code>serve.console.lab</code> in your configuration.
            </Empty>
          ) : (
            <Bench key={modelIn(data, name)!.model} info={data} name={name} onModel={setName} />
          )
        }
      </Loaded>
    </>
  );
}

function modelIn({ models }: LabInfo, name: string | undefined): LabInfo['models'][number] | undefined {
  return models.find(({ model }) => model === name) ?? models[0];
}

/** What somebody took along from a logged call of this model. */
function loggedOf(model: string): Chosen | undefined {
  const taken = forLab.get();
  if (taken?.model !== model) return undefined;
  const { decision, sample, label, values } = taken;
  return { id: undefined, label, values, logged: { decision, sample } };
}

function Bench({
  info,
  name,
  onModel,
}: {
  readonly info: LabInfo;
  readonly name: string | undefined;
  readonly onModel: (name: string) => void;
}) {
  const model = modelIn(info, name)!;
  const frame = useMemo(() => frameOf(model.sampleDims), [model.sampleDims.join()]);
  const usable = info.attacks.filter(({ blackBox }) => model.whiteBox || blackBox);
  const [setting, setSetting] = useState<Setting>(() =>
    settingFor(usable.find(({ id }) => id === FIRST) ?? usable[0]!, model, undefined),
  );
  const [chosen, setChosen] = useState<Chosen | undefined>(() => loggedOf(model.model) ?? info.inputs[0]);
  // Inputs of another model come after it was chosen.
  useEffect(() => {
    if (chosen === undefined && info.inputs[0]) setChosen(info.inputs[0]);
  }, [info.inputs]);
  const trial = useTrial();
  const { run } = trial;
  const attack = info.attacks.find(({ id }) => id === setting.attack)!;
  const start = (): Promise<void> =>
    trial.start({
      ...{ model: model.model, version: model.version, ...setting, label: chosen!.label },
      ...(chosen!.logged ?? (chosen!.id === undefined ? { values: chosen!.values } : { input: chosen!.id })),
    });
  const tried = info.attacks.find(({ id }) => id === run?.attack);
  return (
    <div class="lab">
      <div class="lab-side">
        <Card>
          {info.models.length > 1 && (
            <Select
              label="Model"
              value={model.model}
              options={info.models.map(
                (each) => [each.model, `${each.model}, version ${each.version}`] as const,
              )}
              onChange={onModel}
            />
          )}
          <Inputs inputs={info.inputs} model={model} frame={frame} chosen={chosen} onChoose={setChosen} />
          {chosen === undefined && frame === undefined && (
            <p class="muted">
              No inputs to begin with: name a data set at <code>serve.console.lab.models</code>.
            </p>
          )}
          <Controls attacks={info.attacks} model={model} setting={setting} onChange={setSetting} />
          <div class="actions">
            <Button
              tone="main"
              icon="bolt"
              disabled={chosen === undefined || trial.isRunning}
              onPress={start}
            >
              Try it
            </Button>
            {trial.isRunning && <Button onPress={trial.stop}>Stop</Button>}
          </div>
        </Card>
      </div>
      <div class="lab-main stackup">
        {trial.isRunning && (
          <Card title="Trying …">
            <Meter value={run?.progress ?? 0} label="How far the attack is" />
            <p class="muted small" role="status">
              {attack.title} is at work, beside the service.
            </p>
          </Card>
        )}
        {trial.problem !== undefined && (
          <Card title="This could not be tried" tone="alarmed">
            <p>
              <Text of={trial.problem} most={500} />
            </p>
          </Card>
        )}
        {run?.state === 'done' && tried && <Outcome run={run} attack={tried} model={model} frame={frame} />}
        {run === undefined && trial.problem === undefined && <Invitation attack={attack} />}
        <Knowledge attack={tried && run?.state === 'done' ? tried : attack} />
      </div>
    </div>
  );
}

function Invitation({ attack }: { readonly attack: LabAttackInfo }) {
  return (
    <Card>
      <Empty title="Press “Try it”" icon="lab">
        {attack.title} will change the chosen input step by step. You will see each step, what the model said
        of it, and what it looked at.
      </Empty>
    </Card>
  );
}

function Knowledge({ attack }: { readonly attack: LabAttackInfo }) {
  const { title, means, against } = KNOWLEDGE[attack.needs];
  return (
    <Card title={title}>
      <p>{means}</p>
      <h3 class="lab-remedy">What helps</h3>
      <p>{against}</p>
    </Card>
  );
}
