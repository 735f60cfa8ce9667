/** A public taxonomy, with the version that the entries were taken from. */
export interface Taxonomy {
  readonly name: string;
  readonly version: string;
  readonly source: string;
  /** Names by id; only those entries that Glacis speaks of. */
  readonly entries: Readonly<Record<string, string>>;
}

/** MITRE ATLAS: techniques of attackers (`AML.T…`) and mitigations (`AML.M…`), under their own names. */
export const ATLAS: Taxonomy = {
  name: 'MITRE ATLAS',
  version: '5.6.0',
  source: 'https://github.com/mitre-atlas/atlas-data',
  entries: {
    'AML.T0005': 'Create Proxy AI Model',
    'AML.T0008.003': 'Physical Countermeasures',
    'AML.T0010': 'AI Supply Chain Compromise',
    'AML.T0010.000': 'AI Supply Chain Compromise: Hardware',
    'AML.T0010.001': 'AI Supply Chain Compromise: AI Software',
    'AML.T0010.002': 'AI Supply Chain Compromise: Data',
    'AML.T0010.003': 'AI Supply Chain Compromise: Model',
    'AML.T0010.004': 'AI Supply Chain Compromise: Container Registry',
    'AML.T0011': 'User Execution',
    'AML.T0011.000': 'User Execution: Unsafe AI Artifacts',
    'AML.T0011.001': 'User Execution: Malicious Package',
    'AML.T0015': 'Evade AI Model',
    'AML.T0018': 'Manipulate AI Model',
    'AML.T0018.000': 'Manipulate AI Model: Poison AI Model',
    'AML.T0018.001': 'Manipulate AI Model: Modify AI Model Architecture',
    'AML.T0018.002': 'Manipulate AI Model: Embed Malware',
    'AML.T0019': 'Publish Poisoned Datasets',
    'AML.T0020': 'Poison Training Data',
    'AML.T0024': 'Exfiltration via AI Inference API',
    'AML.T0024.000': 'Infer Training Data Membership',
    'AML.T0024.001': 'Invert AI Model',
    'AML.T0024.002': 'Extract AI Model',
    'AML.T0025': 'Exfiltration via Cyber Means',
    'AML.T0029': 'Denial of AI Service',
    'AML.T0031': 'Erode AI Model Integrity',
    'AML.T0034': 'Cost Harvesting',
    'AML.T0034.000': 'Cost Harvesting: Excessive Queries',
    'AML.T0034.001': 'Cost Harvesting: Resource-Intensive Queries',
    'AML.T0040': 'AI Model Inference API Access',
    'AML.T0041': 'Physical Environment Access',
    'AML.T0042': 'Verify Attack',
    'AML.T0043': 'Craft Adversarial Data',
    'AML.T0043.000': 'Craft Adversarial Data: White-Box Optimization',
    'AML.T0043.001': 'Craft Adversarial Data: Black-Box Optimization',
    'AML.T0043.002': 'Craft Adversarial Data: Black-Box Transfer',
    'AML.T0043.003': 'Craft Adversarial Data: Manual Modification',
    'AML.T0043.004': 'Craft Adversarial Data: Insert Backdoor Trigger',
    'AML.T0044': 'Full AI Model Access',
    'AML.T0046': 'Spamming AI System with Chaff Data',
    'AML.T0047': 'AI-Enabled Product or Service',
    'AML.T0048.004': 'External Harms: AI Intellectual Property Theft',
    'AML.T0055': 'Unsecured Credentials',
    'AML.T0058': 'Publish Poisoned Models',
    'AML.T0059': 'Erode Dataset Integrity',
    'AML.T0074': 'Masquerading',
    'AML.T0076': 'Corrupt AI Model',
    'AML.T0109': 'AI Supply Chain Rug Pull',
    'AML.T0111': 'AI Supply Chain Reputation Inflation',
    'AML.M0003': 'Model Hardening',
    'AML.M0005': 'Control Access to AI Models and Data at Rest',
    'AML.M0007': 'Sanitize Training Data',
    'AML.M0008': 'Validate AI Model',
    'AML.M0011': 'Restrict Library Loading',
    'AML.M0012': 'Encrypt Sensitive Information',
    'AML.M0013': 'Code Signing',
    'AML.M0014': 'Verify AI Artifacts',
    'AML.M0016': 'Vulnerability Scanning',
    'AML.M0023': 'AI Bill of Materials',
    'AML.M0025': 'Maintain AI Dataset Provenance',
  },
};

/** OWASP Machine Learning Security Top 10. */
export const OWASP_ML: Taxonomy = {
  name: 'OWASP Machine Learning Security Top 10',
  version: '2023, draft 0.3',
  source: 'https://owasp.org/www-project-machine-learning-security-top-10/',
  entries: {
    'ML01:2023': 'Input Manipulation Attack',
    'ML02:2023': 'Data Poisoning Attack',
    'ML03:2023': 'Model Inversion Attack',
    'ML04:2023': 'Membership Inference Attack',
    'ML05:2023': 'Model Theft',
    'ML06:2023': 'AI Supply Chain Attacks',
    'ML07:2023': 'Transfer Learning Attack',
    'ML08:2023': 'Model Skewing',
    'ML09:2023': 'Output Integrity Attack',
    'ML10:2023': 'Model Poisoning',
  },
};

/** NIST AI 100-2 E2025, attacks on predictive models. */
export const NIST: Taxonomy = {
  name: 'NIST AI 100-2',
  version: 'E2025',
  source: 'https://doi.org/10.6028/NIST.AI.100-2e2025',
  entries: {
    'NISTAML.01': 'Availability Violation',
    'NISTAML.011': 'Model Poisoning',
    'NISTAML.012': 'Clean-label Poisoning',
    'NISTAML.013': 'Data Poisoning',
    'NISTAML.014': 'Energy-latency',
    'NISTAML.02': 'Integrity Violation',
    'NISTAML.021': 'Clean-label Backdoor',
    'NISTAML.022': 'Evasion',
    'NISTAML.023': 'Backdoor Poisoning',
    'NISTAML.024': 'Targeted Poisoning',
    'NISTAML.025': 'Black-box Evasion',
    'NISTAML.026': 'Model Poisoning (integrity)',
    'NISTAML.03': 'Privacy Compromise',
    'NISTAML.031': 'Model Extraction',
    'NISTAML.032': 'Reconstruction',
    'NISTAML.033': 'Membership Inference',
    'NISTAML.034': 'Property Inference',
    'NISTAML.05': 'Supply Chain Attacks',
    'NISTAML.051': 'Model Poisoning (supply chain)',
  },
};

/** OWASP AI Security Verification Standard; what each requirement asks, in our words. */
export const AISVS: Taxonomy = {
  name: 'OWASP AISVS',
  version: '1.0',
  source: 'https://github.com/OWASP/AISVS',
  entries: {
    'AISVS-3.1.1': 'a registry lists deployed models and where they come from',
    'AISVS-3.1.2': 'model artefacts are signed by those who may',
    'AISVS-3.1.3': 'signatures are verified at admission and on loading',
    'AISVS-3.2.1': 'models are tested before they are deployed',
    'AISVS-6.1.1': 'models are scanned for malicious code before they are taken in',
    'AISVS-6.1.2': 'weights and data come from approved sources only',
    'AISVS-6.1.3': "a third party's model can be checked for integrity",
    'AISVS-6.1.4': 'models pass an acceptance test before they are promoted',
    'AISVS-6.2.1': 'each model has a machine-readable bill of materials',
    'AISVS-6.2.2': 'bills of materials are signed before deployment',
    'AISVS-11.1.3': 'models are evaluated against the known attacks on their kind of data',
    'AISVS-11.1.4': 'models are hardened against adversarial inputs',
    'AISVS-11.2.4': 'training on sensitive data is differentially private',
    'AISVS-11.2.5': 'membership inference does not do better than guessing',
    'AISVS-11.3.2': 'what answers give away is fitted to the risk of extraction',
  },
};

/** All of them. */
export const TAXONOMIES: readonly Taxonomy[] = [ATLAS, OWASP_ML, NIST, AISVS];

/** What an id is called, in whichever taxonomy it stands; `undefined` for one that none has. */
export function nameOfEntry(id: string): string | undefined {
  const found = TAXONOMIES.find(({ entries }) => Object.hasOwn(entries, id));
  return found?.entries[id];
}
