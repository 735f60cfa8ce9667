import { ZodError } from 'zod';
import { GlacisError } from '../../../src/core/error.ts';
import type { ManagementRoute } from '../../../src/gateway/manage/route.ts';
import { REFUSALS, Refused } from '../../../src/gateway/refusal.ts';
import { type Fixture, type FixtureCall, type Plain, Refusal } from '../fixture-server.ts';

/** Real routes of the management side, as the fixture server asks them. */
export function fromRoutes(routes: readonly ManagementRoute[]): readonly Fixture[] {
  return routes
    .toSorted((a, b) => Number(a.path.includes(':')) - Number(b.path.includes(':')))
    .map((route) => ({
      method: route.method,
      path: route.path,
      async run({ params, query, body, by }: FixtureCall) {
        try {
          const answer = await route.run({
            ...{ params, query },
            body: route.body?.parse(body),
            by: { id: by, tenant: 'fixture', credential: 'session', kind: 'key', roles: ['admin'] },
            may: () => true,
            signal: new AbortController().signal,
            knock: { method: route.method, path: '/', headers: {}, address: '127.0.0.1', isSecure: false },
          });
          if ('stream' in answer) throw new Refusal(500, 'the fixture server has no streams of its own');
          if ((answer.status ?? 200) >= 400) throw new Refusal(answer.status!, messageIn(answer));
          if ('json' in answer) return answer.json ?? null;
          return { plain: answer.bytes, type: answer.type, headers: answer.headers } satisfies Plain;
        } catch (thrown) {
          throw refusalFrom(thrown);
        }
      },
    }));
}

function messageIn(answer: object): string {
  const { json } = answer as { json?: { error?: string } };
  return json?.error ?? 'refused';
}

function refusalFrom(thrown: unknown): unknown {
  if (thrown instanceof Refused) return new Refusal(REFUSALS[thrown.refusal].status, thrown.message);
  if (thrown instanceof ZodError) return new Refusal(400, thrown.issues[0]!.message);
  if (!(thrown instanceof GlacisError)) return thrown;
  const isWrong = thrown.code === 'option/invalid' || thrown.code === 'request/invalid';
  return new Refusal(isWrong ? 400 : 409, thrown.message);
}
