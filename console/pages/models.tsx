import { useQuery } from '../data/query.ts';
import { Empty } from '../parts/empty.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Link } from '../shell/router.tsx';
import type { PageProps } from '../shell/routes.ts';
import { All, type ModelList } from './models/all.tsx';
import { One } from './models/one.tsx';

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
