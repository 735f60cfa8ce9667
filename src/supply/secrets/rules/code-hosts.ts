import type { SecretRule } from '../rule.ts';
import { END, prefixed, sticky } from './patterns.ts';

const CODE = 'Whoever has it reads private code and, with write access, changes what others build.';
const PACKAGES = 'Whoever has it publishes packages that others install.';

/** Keys of code hosts, package registries and issue trackers. */
export const CODE_HOST_RULES: readonly SecretRule[] = [
  prefixed(
    'github-token',
    'GitHub token',
    ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    `[A-Za-z0-9]{36}${END}`,
    'https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github',
    { why: CODE },
  ),
  prefixed(
    'github-app-token',
    'GitHub app installation token',
    ['ghs_'],
    `[0-9]{1,20}_[A-Za-z0-9_-]{10,1000}\\.[A-Za-z0-9_-]{10,4000}\\.[A-Za-z0-9_-]{10,1000}`,
    'https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github',
    { why: CODE },
  ),
  prefixed(
    'github-fine-grained-token',
    'GitHub fine-grained token',
    ['github_pat_'],
    `[A-Za-z0-9_]{82}(?![A-Za-z0-9_])`,
    'https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github',
    { why: CODE },
  ),
  prefixed(
    'gitlab-token',
    'GitLab token',
    ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'glagent-', 'glsoat-', 'glft-', 'glimt-', 'gloas-'],
    `[A-Za-z0-9_.-]{20,128}`,
    'https://docs.gitlab.com/security/tokens/',
    { why: CODE, shown: 5 },
  ),
  prefixed(
    'npm-token',
    'npm access token',
    ['npm_'],
    `[A-Za-z0-9]{36}(?![A-Za-z0-9_])`,
    'https://docs.npmjs.com/about-access-tokens',
    { why: PACKAGES },
  ),
  {
    id: 'npmrc-auth',
    title: 'Password or token in an npm configuration',
    severity: 'critical',
    why: PACKAGES,
    anchors: ['_authToken', '_password', ':_auth'],
    pattern: sticky(
      String.raw`(?:_authToken|_password|:_auth)[ \t]{0,4}=[ \t]{0,4}"?(?<secret>[A-Za-z0-9+/=_.-]{16,400})(?![\w(])`,
    ),
    entropy: 3,
    confirm: (secret) => /\d/.test(secret),
    source: 'https://docs.npmjs.com/cli/v11/configuring-npm/npmrc',
  },
  prefixed(
    'pypi-token',
    'PyPI upload token',
    ['pypi-AgEI', 'pypi-AgEN'],
    `[A-Za-z0-9_-]{50,1000}`,
    'https://pypi.org/help/#apitoken',
    { why: PACKAGES, shown: 5 },
  ),
  prefixed(
    'rubygems-token',
    'RubyGems API key',
    ['rubygems_'],
    `[0-9a-f]{48}${END}`,
    'https://guides.rubygems.org/api-key-scopes/',
    { why: PACKAGES },
  ),
  prefixed(
    'atlassian-token',
    'Atlassian API token',
    ['ATATT3'],
    `[A-Za-z0-9_=-]{60,300}`,
    'https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/',
  ),
  prefixed(
    'linear-key',
    'Linear API key',
    ['lin_api_'],
    `[A-Za-z0-9_]{32,128}${END}`,
    'https://linear.app/developers/graphql',
  ),
  prefixed(
    'notion-token',
    'Notion integration token',
    ['ntn_'],
    `[0-9]{11}[A-Za-z0-9]{35}${END}`,
    'https://developers.notion.com/docs/authorization',
  ),
  prefixed(
    'figma-token',
    'Figma access token',
    ['figd_'],
    `[A-Za-z0-9_-]{40,200}(?![A-Za-z0-9_-])`,
    'https://www.figma.com/developers/api#access-tokens',
  ),
];
