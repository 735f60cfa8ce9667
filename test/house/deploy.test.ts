import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StatefulSet } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Service } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readServe } from '../../src/gateway/config/read-serve.ts';
import { ROOT } from './tree.ts';

const KINDS = { ConfigMap, Service, StatefulSet, PodDisruptionBudget, NetworkPolicy } as const;

interface Manifest {
  readonly apiVersion: string;
  readonly kind: keyof typeof KINDS;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
}

const text = readFileSync(join(ROOT, 'deploy/kubernetes/gateway.yaml'), 'utf8');
const manifests = parseAllDocuments(text).map((document) => document.toJS() as Manifest);

describe('deploy/kubernetes', () => {
  it.each(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
    '%s fits the schema of Kubernetes',
    (_, manifest) => {
      const Kind = KINDS[manifest.kind] as unknown as {
        new (given: Manifest): { validate(): void };
        readonly apiVersion: string;
      };
      expect(Kind, manifest.kind).toBeDefined();
      expect(manifest.apiVersion).toBe(Kind.apiVersion);
      expect(() => new Kind(manifest).validate()).not.toThrow();
    },
  );

  it('does not take what is wrong', () => {
    const broken = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: { ports: 'none' } };
    expect(() => new Service(broken as never).validate()).toThrow();
  });

  it('holds a configuration that glacis serve reads', () => {
    const { config } = readServe(
      manifests.find(({ kind }) => kind === 'ConfigMap')!.data!['glacis.yaml']!,
      'glacis.yaml',
    );
    expect(config.store.kind).toBe('postgres');
    expect(config.rates.redis).toBeDefined();
    expect(Object.keys(config.models)).toEqual(['classifier']);
  });
});
