import type { ModelStatus } from '../../../src/gateway/backend/model-status.ts';
import type { AskedRollback } from '../../../src/gateway/console/api.ts';
import { tell } from '../../data/ask.ts';
import { touch } from '../../data/query.ts';
import { useMay } from '../../data/session.ts';
import { Button } from '../../parts/button.tsx';
import { Card } from '../../parts/card.tsx';
import { share as shareWords } from '../../parts/format.ts';
import { Text } from '../../parts/text.tsx';
import { confirm } from '../../shell/confirm.tsx';
import { said } from '../../shell/toast.tsx';

/** What may be done: back to the version before; a share of the clients for another one. */
export function Rollout({ of }: { readonly of: ModelStatus }) {
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
    const given = await tell<ModelStatus | AskedRollback>(`${path}/rollback`);
    if ('asked' in given) {
      touch('/api/cases', '/api/overview');
      said(`Asked: it waits for a second person, in the case ${given.case.id}.`);
    } else done(`Version ${of.previous?.version} answers again.`);
  };
  const canary = async (version: string | undefined, share = 0.05): Promise<void> => {
    const go = await confirm({
      title:
        version === undefined ? (
          'End the canary?'
        ) : (
          <>
            Let version <Text of={version} most={24} /> answer {shareWords(share)} of the clients?
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
          <b>{shareWords(of.canary === undefined ? 1 : 1 - of.canary.share)}</b> of the clients: version{' '}
          <b>
            <Text of={of.use} most={24} />
          </b>
          {of.canary !== undefined && (
            <>
              , <b>{shareWords(of.canary.share)}</b>: version{' '}
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
              is asked {shareWords(of.shadow.share)} of the requests beside it, unseen
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
                    Canary to {shareWords(share)}
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
