import { isDangerous } from '../pickle/danger.ts';

/** Modules of frameworks whose classes describe models and whose names, spelled as a class, load nothing by themselves. */
const FRAMEWORKS =
  /^(?:torch\.(?:nn|optim)|torchvision\.(?:models|transforms|ops)|torchmetrics|torchaudio\.transforms|nemo\.(?:collections|core|lightning)|pytorch_lightning|lightning(?:\.pytorch)?|transformers|diffusers|omegaconf|timm|megatron\.core|monai|kornia|albumentations|sentence_transformers|peft|accelerate|gymnasium\.(?:spaces|wrappers))(?:\.|$)/;

/** Functions of frameworks that load pickles, fetch files or run code; they would pass as part of a framework. */
const GADGETS =
  /^(?:torch\.(?:load|hub\.\w+|jit\.\w+|compile|package\.\w+)|numpy\.(?:load|loadtxt|genfromtxt|fromfile)|pandas\.(?:read_\w+|eval)|joblib\.(?:load|\w+\.load)|hydra\.(?:utils\.\w+|_internal\..*)|hydra_zen\..*|importlib\..*|nemo\.(?:utils|core\.config)\..*|transformers\.(?:pipeline|dynamic_module_utils\..*)|lightning\.(?:.*\.)?load_\w+|omegaconf\..*(?:register|resolve).*|.*\.(?:load_model|unpickle|loads?|system|popen|exec|eval|run_path|run_module|get_method|get_class|get_object|import_class_by_path|call|instantiate))$/;

/**
 * What a loader that imports a dotted name out of a file would get: a class of a framework that only describes (`plain`), a
 * function or class that runs code (`dangerous`), or something that nobody here knows (`unknown`).
 */
export function judgePythonName(path: string): 'plain' | 'dangerous' | 'unknown' {
  const steps = path.split('.');
  const name = steps.pop() ?? '';
  const module = steps.join('.');
  if (steps.some((step) => /^__\w+__$/.test(step)) || /^__\w+__$/.test(name)) return 'dangerous';
  if (GADGETS.test(path) || isDangerous(module, name)) return 'dangerous';
  // A module that a framework has imported is as dangerous under the framework's name.
  if (
    steps.some((step) =>
      /^(?:os|posix|nt|subprocess|sys|builtins|importlib|runpy|ctypes|socket|shutil|pty)$/.test(step),
    )
  )
    return 'dangerous';
  return FRAMEWORKS.test(path) && /^[A-Z]/.test(name) ? 'plain' : 'unknown';
}
