import type { ModelStatus } from '../../src/gateway/backend/model-status.ts';
import type { AssessmentRow, Overview, Page } from '../../src/gateway/console/api.ts';
import { tell } from '../data/ask.ts';
import { touch, useQuery } from '../data/query.ts';
import { useMay } from '../data/session.ts';
import { Badge } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { Card, Opening } from '../parts/card.tsx';
import { Digest } from '../parts/digest.tsx';
import { Empty } from '../parts/empty.tsx';
import { Facts } from '../parts/field.tsx';
import { bytes, count, counted, percent } from '../parts/format.ts';
import { Icon } from '../parts/icon.tsx';
import { Loaded } from '../parts/loading.tsx';
import { RobustnessChart } from '../parts/robustness-chart.tsx';
import { Text } from '../parts/text.tsx';
import { Time } from '../parts/time.tsx';
import { confirm } from '../shell/confirm.tsx';
import { Link, pathTo } from '../shell/router.tsx';
import type { PageProps } from '../shell/routes.ts';
import { said } from '../shell/toast.tsx';

type Version = ModelStatus['versions'][number];
interface ModelList {
  readonly models: readonly ModelStatus[];
  readonly memory: { readonly used: number; readonly limit: number };
}

/** Models, their versions, what vouches for each, and how they hold under attack. With a name after it: one model. */
export default function ModelsPage({ rest }: PageProps) {
  const models = useQuery<ModelList>('/api/models', { every: 20_000 });
  const [name] = rest;
  return (
    <Loaded query={models} what="the models" lines={7}>
      {(data) => {
        if (name === undefined) return <All of={data} />;
        const found = data.models.find(({ model }) => model === name);
        if (found !== undefined) return <One of={found} />;
        return (
          <Empty
            title="No such model"
            icon="models"
            action={
              <Link to="/models" class="button">
                All models
              </Link>
            }
          >
            It is not served here, or not any more.
          </Empty>
        );
      }}
    </Loaded>
  );
}

function useRecheck(): () => Promise<void> {
  return async () => {
    await tell('/api/models/recheck');
    touch('/api/models', '/api/overview');
    said('Asked registries and the list of revoked digests again.');
  };
}

function All({ of: { models, memory } }: { readonly of: ModelList }) {
  const mayLoad = useMay('models.load');
  const recheck = useRecheck();
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
          side={
            mayLoad && (
              <Button icon="refresh" onPress={recheck}>
                Check again
              </Button>
            )
          }
        >
          {bytes(memory.used)} of weights in memory, {percent(memory.used / Math.max(1, memory.limit))} of
          what is allowed.
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

function inService({ versions, use }: ModelStatus): Version | undefined {
  return versions.find(({ version }) => version === use);
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
              for {percent(of.canary.share)} of the clients
            </>,
          ],
          of.shadow !== undefined && [
            'Shadow',
            <>
              version{' '}
              <b>
                <Text of={of.shadow.version} most={24} />
              </b>{' '}
              for {percent(of.shadow.share)} of the requests
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
          ['Vouched by', now === undefined ? <span class="none">–</span> : <Checks of={now} short />],
          ['Busy', now === undefined ? '–' : <Load of={now} />],
        ]}
      />
    </Card>
  );
}

function Standing({ of }: { readonly of: Version | undefined }) {
  if (of === undefined) return <Badge tone="changed">Not loaded</Badge>;
  if (of.stopped !== undefined) return <Badge tone="changed">Stopped</Badge>;
  return of.load.circuit === 'open' ? (
    <Badge tone="changed">Upstream down</Badge>
  ) : (
    <Badge tone="held">Answering</Badge>
  );
}

function Load({ of: { load } }: { readonly of: Version }) {
  return (
    <>
      {counted(load.open, 'request')} open, {counted(load.waiting, 'sample waits', 'samples wait')}
      {load.circuit !== undefined &&
        `; upstream ${load.circuit === 'closed' ? 'asked' : load.circuit === 'open' ? 'left alone' : 'tried'}`}
    </>
  );
}

const CHECK_NAMES = {
  digest: 'Digest',
  signature: 'Signature',
  gate: 'Gate',
  registry: 'Registry',
  'as-given': 'Nobody',
} as const;

function Checks({ of: { checks }, short = false }: { readonly of: Version; readonly short?: boolean }) {
  if (checks.length === 0) return <span class="none">nothing</span>;
  if (short) {
    return (
      <>
        {checks.map(({ check, by }) => (
          <span class="tag" key={check} title={by.slice(0, 300)}>
            {CHECK_NAMES[check] ?? check}
          </span>
        ))}
      </>
    );
  }
  return (
    <ul class="vouched">
      {checks.map(({ check, by }) => (
        <li key={check} class={check === 'as-given' ? 'changed' : 'held'}>
          <Icon name={check === 'as-given' ? 'close' : 'done'} size={15} />
          <span>
            <b>{CHECK_NAMES[check] ?? check}</b> <Text of={by} most={120} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function One({ of }: { readonly of: ModelStatus }) {
  const now = inService(of);
  const { data: overview } = useQuery<Overview>('/api/overview');
  const rate = overview?.models.find(({ model }) => model === of.model);
  const mayLoad = useMay('models.load');
  const recheck = useRecheck();
  return (
    <>
      <p class="way-back">
        <Link to="/models">Models</Link>
      </p>
      <Opening
        chip={now?.stopped !== undefined ? 'Stopped' : rate?.alarmed ? 'Alarmed' : 'Answering'}
        tone={now?.stopped !== undefined || rate?.alarmed ? 'changed' : 'held'}
        title={<Text of={of.model} most={60} />}
        side={
          mayLoad && (
            <Button icon="refresh" onPress={recheck}>
              Check again
            </Button>
          )
        }
      >
        {now?.stopped !== undefined ? (
          <Text of={now.stopped} most={300} />
        ) : (
          <>
            Version{' '}
            <b>
              <Text of={of.use} most={24} />
            </b>{' '}
            answers
            {rate !== undefined &&
              `, ${rate.perSecond < 10 ? rate.perSecond.toFixed(1) : count(rate.perSecond)} requests a second`}
            .{' '}
            {rate?.alarmed && (
              <Link to={`/drift?model=${encodeURIComponent(of.model)}`}>
                A monitor is beyond its threshold.
              </Link>
            )}
          </>
        )}
      </Opening>
      <Rollout of={of} />
      {of.versions
        .toSorted((a, b) => Number(b.version === of.use) - Number(a.version === of.use))
        .map((version) => (
          <VersionCard key={version.version} model={of} of={version} />
        ))}
    </>
  );
}

/** What may be done: back to the version before; a share of the clients for another one. */
function Rollout({ of }: { readonly of: ModelStatus }) {
  const [mayBack, mayPromote] = [useMay('models.rollback'), useMay('models.promote')];
  const others = of.versions.filter(({ version, stopped }) => version !== of.use && stopped === undefined);
  const path = `/api/models/${encodeURIComponent(of.model)}`;
  const done = (words: string): void => {
    touch('/api/models', '/api/overview');
    said(words);
  };
  const back = async (): Promise<void> => {
    const go = await confirm({
      title: (
        <>
          Put version <Text of={of.previous?.version} most={24} /> back into service?
        </>
      ),
      children: (
        <>
          <p>
            New requests to{' '}
            <b>
              <Text of={of.model} most={40} />
            </b>{' '}
            are answered by version{' '}
            <b>
              <Text of={of.previous?.version} most={24} />
            </b>{' '}
            instead of{' '}
            <b>
              <Text of={of.use} most={24} />
            </b>
            , if it may still be served. A canary ends.
          </p>
          <p>Requests that are open are finished by the version that began them. It goes into the log.</p>
        </>
      ),
      action: 'Roll back',
      tone: 'danger',
    });
    if (go === undefined) return;
    await tell(`${path}/rollback`);
    done(`Version ${of.previous?.version} answers again.`);
  };
  const canary = async (version: string | undefined, share = 0.05): Promise<void> => {
    const go = await confirm({
      title:
        version === undefined ? (
          'End the canary?'
        ) : (
          <>
            Let version <Text of={version} most={24} /> answer {percent(share)} of the clients?
          </>
        ),
      children: (
        <p>
          {version === undefined ? (
            <>
              All clients are answered by version{' '}
              <b>
                <Text of={of.use} most={24} />
              </b>{' '}
              again.
            </>
          ) : (
            'Always the same clients, chosen by their name. Their answers come from this version until the canary ends.'
          )}
        </p>
      ),
      action: version === undefined ? 'End it' : 'Begin',
    });
    if (go === undefined) return;
    await tell(`${path}/canary`, version === undefined ? {} : { version, share });
    done(version === undefined ? 'The canary has ended.' : 'The canary has begun.');
  };
  if (!mayBack && !mayPromote) return null;
  return (
    <Card title="Roll-out" lead="Each step goes into the log before it is done.">
      <div class="rollout">
        <p>
          <b>{percent(of.canary === undefined ? 1 : 1 - of.canary.share)}</b> of the clients: version{' '}
          <b>
            <Text of={of.use} most={24} />
          </b>
          {of.canary !== undefined && (
            <>
              , <b>{percent(of.canary.share)}</b>: version{' '}
              <b>
                <Text of={of.canary.version} most={24} />
              </b>
            </>
          )}
          {of.shadow !== undefined && (
            <>
              ; version{' '}
              <b>
                <Text of={of.shadow.version} most={24} />
              </b>{' '}
              is asked {percent(of.shadow.share)} of the requests beside it, unseen
            </>
          )}
          .
        </p>
        <div class="actions">
          {mayPromote && of.canary !== undefined && (
            <>
              {[0.05, 0.2, 0.5]
                .filter((share) => share > of.canary!.share)
                .slice(0, 1)
                .map((share) => (
                  <Button key={share} onPress={() => canary(of.canary!.version, share)}>
                    Canary to {percent(share)}
                  </Button>
                ))}
              <Button onPress={() => canary(undefined)}>End the canary</Button>
            </>
          )}
          {mayPromote &&
            of.canary === undefined &&
            others.slice(0, 3).map(({ version }) => (
              <Button key={version} onPress={() => canary(version)}>
                Canary of <Text of={version} most={16} />
              </Button>
            ))}
          {mayBack && of.previous !== undefined && (
            <Button tone="danger" icon="back" onPress={back}>
              Back to version <Text of={of.previous.version} most={16} />
            </Button>
          )}
        </div>
      </div>
    </Card>
  );
}

function VersionCard({ model, of }: { readonly model: ModelStatus; readonly of: Version }) {
  const role =
    of.version === model.use
      ? 'In service'
      : of.version === model.canary?.version
        ? 'Canary'
        : of.version === model.shadow?.version
          ? 'Shadow'
          : of.version === model.previous?.version
            ? 'The one before'
            : 'Loaded';
  const { inputs, outputs, platform } = of.metadata;
  return (
    <Card
      title={
        <>
          Version <Text of={of.version} most={40} />
        </>
      }
      side={
        <>
          <Badge tone={role === 'In service' ? 'held' : role === 'Canary' ? 'warn' : 'rest'}>{role}</Badge>
          {of.stopped !== undefined && <Badge tone="changed">Stopped</Badge>}
        </>
      }
      {...(of.stopped === undefined ? {} : { tone: 'alarmed' as const })}
    >
      {of.stopped !== undefined && (
        <p class="problem-line">
          <Text of={of.stopped} most={300} />
        </p>
      )}
      <div class="columns version">
        <div>
          <h3>What vouches for it</h3>
          <Checks of={of} />
          {of.notes.length > 0 && (
            <ul class="notes muted">
              {of.notes.map((note) => (
                <li key={note}>
                  <Text of={note} most={200} />
                </li>
              ))}
            </ul>
          )}
          <Facts
            of={[
              ['Digest', <Digest key="d" of={of.digest} most={16} />],
              ['Platform', <Text key="p" of={platform} most={40} />],
              [
                'Takes',
                inputs.map((each) => (
                  <span class="tensor" key={each.name}>
                    <Text of={each.name} most={24} /> {each.datatype} [
                    {each.shape.map((n) => (n < 0 ? 'n' : n)).join(', ')}]
                  </span>
                )),
              ],
              [
                'Gives',
                outputs.map((each) => (
                  <span class="tensor" key={each.name}>
                    <Text of={each.name} most={24} /> {each.datatype} [
                    {each.shape.map((n) => (n < 0 ? 'n' : n)).join(', ')}]
                  </span>
                )),
              ],
              ['Busy', <Load key="l" of={of} />],
            ]}
          />
        </div>
        <Evidence digest={of.digest} />
      </div>
    </Card>
  );
}

/** The newest assessment of exactly these bytes. */
function Evidence({ digest }: { readonly digest: string }) {
  const bare = digest.replace(/^sha256:/, '');
  const list = useQuery<Page<AssessmentRow>>(`/api/assessments?find=${encodeURIComponent(bare)}`);
  const rows = (list.data?.rows ?? []).filter((row) => row.digest.replace(/^sha256:/, '') === bare);
  const [newest] = rows;
  return (
    <div>
      <h3>How it holds under attack</h3>
      {list.loading ? (
        <p class="muted">Looking for an assessment …</p>
      ) : newest === undefined ? (
        <Empty title="No assessment of these bytes" icon="assessments">
          <code>glacis assess</code> attacks the file and writes a report; put it into the folder that{' '}
          <code>serve: console: assessments:</code> names.
        </Empty>
      ) : (
        <>
          <RobustnessChart clean={newest.cleanAccuracy} points={newest.robust} />
          <p class="muted small">
            {count(newest.n)} samples of <Text of={newest.data} most={40} />, <Time at={newest.at} />.{' '}
            <Link to={pathTo('assessments', newest.id)}>The whole assessment</Link>
            {rows.length > 1 && `, and ${counted(rows.length - 1, 'older one')}`}
          </p>
          {newest.findings.length > 0 && (
            <p class="small">
              {newest.findings.slice(0, 4).map((finding) => (
                <span key={finding.id} class="tag">
                  <Text of={finding.title} most={60} />
                </span>
              ))}
            </p>
          )}
        </>
      )}
    </div>
  );
}
