import type { ModelMetadata } from '../../oip/index.ts';
import type { PassedCheck } from './admission/passed-check.ts';
import type { ModelLoad } from './backend-model.ts';
import type { ModelConfig } from './config-schema.ts';
import type { Routed } from './model-routes.ts';
import type { Entry } from './model-table.ts';

/** A model for the management side. Plain JSON. */
export interface ModelStatus {
  readonly model: string;
  /** The version in service. */
  readonly use: string;
  readonly canary: Routed['canary'];
  readonly shadow: ModelConfig['shadow'];
  /** What a rollback leads to. */
  readonly previous: { readonly version: string; readonly digest: string } | undefined;
  readonly versions: readonly {
    readonly version: string;
    readonly digest: string;
    readonly metadata: ModelMetadata;
    readonly checks: readonly PassedCheck[];
    readonly notes: readonly string[];
    /** Why it answers nothing any more. */
    readonly stopped: string | undefined;
    readonly load: ModelLoad;
  }[];
}

/** How a model stands. */
export function statusOf(model: string, { use, canary, config, versions, previous }: Entry): ModelStatus {
  return {
    model,
    use,
    canary,
    shadow: config.shadow,
    previous: previous && { version: previous.version, digest: previous.loaded.backend.digest },
    versions: [...versions].map(([version, { backend, checks, stopped }]) => ({
      version,
      digest: backend.digest,
      metadata: backend.metadata,
      checks,
      notes: backend.notes,
      stopped,
      load: backend.load(),
    })),
  };
}
