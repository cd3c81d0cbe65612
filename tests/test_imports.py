"""Who may import whom, read from the source: nothing is run."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ('vasa_jax', 'data_pipelines', 'experiments')

# Folders of vasa_jax, and what of vasa_jax each may import besides itself.
BASE = {'errors', 'files', 'types'}
ALLOWED = {
  'nn': BASE,
  'face': BASE | {'nn'},
  'motion': BASE | {'nn'},
  'audio': BASE | {'nn', 'teachers'},
  'teachers': BASE | {'nn'},
  'training': BASE | {'nn', 'face', 'motion', 'audio', 'teachers'},
  'inference': BASE | {'nn', 'face', 'motion', 'audio', 'teachers', 'training'},
  'metrics': BASE
  | {'nn', 'face', 'motion', 'audio', 'teachers', 'training', 'inference'},
}

# Folders of vasa_jax.inference, and what of it each may import besides itself.
INFERENCE = {
  'finding': set(),
  'media': set(),
  'directing': {'finding', 'media', 'bundle', 'models'},
  'drawing': {'finding', 'directing', 'programs'},
  'showing': {'finding', 'drawing', 'models', 'programs'},
}

# Not there on a training machine with numpy, numba, jax, flax, optax, orbax and OpenCV:
# imported by the functions that need them, never by a module.
LAZY = {
  'av', 'grain', 'tensorflow_datasets', 'ai_edge_litert', 'tqdm', 'PIL', 'array_record',
  'tensorboardX', 'safetensors', 'skimage', 'soundfile',
}  # fmt: skip
TRAINING_PATH = (
  'vasa_jax/nn',
  'vasa_jax/face',
  'vasa_jax/motion',
  'vasa_jax/audio',
  'vasa_jax/training',
  'experiments/train.py',
  'experiments/report.py',
  'experiments/sweep.py',
  'experiments/command.py',
  'experiments/configs',
)


def _files(*places: str) -> list[Path]:
  found: list[Path] = []
  for place in places:
    path = ROOT / place
    found += [path] if path.is_file() else sorted(path.rglob('*.py'))
  return found


def _imported(node: ast.AST, package: str) -> set[str]:
  if isinstance(node, ast.Import):
    return {alias.name for alias in node.names}
  if isinstance(node, ast.ImportFrom):
    base = node.module or ''
    if node.level:
      parts = package.split('.')
      base = '.'.join(parts[: len(parts) - node.level + 1] + ([base] if base else []))
    return {base} | {f'{base}.{alias.name}' for alias in node.names}
  return set()


def _module_level(tree: ast.AST):
  """Nodes that run on import: not those in functions, nor under TYPE_CHECKING."""
  for node in ast.iter_child_nodes(tree):
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
      continue
    if isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.unparse(node.test):
      continue
    yield node
    yield from _module_level(node)


def imports(source: str, package: str = '', everywhere: bool = True) -> set[str]:
  """Dotted names that `source` imports: in functions too, or at module level only."""
  tree = ast.parse(source)
  nodes = ast.walk(tree) if everywhere else _module_level(tree)
  return {name for node in nodes for name in _imported(node, package)}


def _of(file: Path, everywhere: bool = True) -> set[str]:
  package = '.'.join(file.relative_to(ROOT).parent.parts)
  return imports(file.read_text(), package, everywhere)


def _top(names: set[str]) -> set[str]:
  return {name.partition('.')[0] for name in names}


def test_reader_of_imports():
  source = 'import a.b\nfrom c import d\ndef f():\n  import e\n  from . import g\n'
  assert imports(source, 'p.q') == {'a.b', 'c', 'c.d', 'e', 'p.q', 'p.q.g'}
  assert imports(source, 'p.q', everywhere=False) == {'a.b', 'c', 'c.d'}
  hidden = 'if TYPE_CHECKING:\n  import x\nif y:\n  import z\n'
  assert imports(hidden, everywhere=False) == {'z'}


@pytest.mark.parametrize('folder', ALLOWED)
def test_direction_inside_vasa_jax(folder):
  files = _files(f'vasa_jax/{folder}')
  assert files
  for file in files:
    inner = {n.split('.')[1] for n in _of(file) if n.startswith('vasa_jax.')}
    extra = inner - ALLOWED[folder] - {folder}
    assert not extra, f'{file.relative_to(ROOT)} imports {sorted(extra)}'


def test_folders_of_inference_are_known():
  found = {path.parent.name for path in _files('vasa_jax/inference')}
  assert found == {'inference', *INFERENCE}


@pytest.mark.parametrize('folder', INFERENCE)
def test_direction_inside_inference(folder):
  files = _files(f'vasa_jax/inference/{folder}')
  assert len(files) > 3
  for file in files:
    names = [n.split('.') for n in _of(file) if n.startswith('vasa_jax.inference.')]
    extra = {name[2] for name in names} - INFERENCE[folder] - {folder}
    assert not extra, f'{file.relative_to(ROOT)} imports {sorted(extra)}'


def test_vasa_jax_imports_neither_experiments_nor_pipelines():
  for file in _files('vasa_jax'):
    assert not _top(_of(file)) & {'experiments', 'data_pipelines'}, file


def test_pipelines_touch_no_device_on_import():
  for file in _files('data_pipelines'):
    assert not _top(_of(file, everywhere=False)) & {'jax', 'flax', 'vasa_jax'}, file
    assert 'experiments' not in _top(_of(file)), file


def test_training_path_needs_few_packages():
  for file in _files(*TRAINING_PATH):
    found = _top(_of(file, everywhere=False)) & LAZY
    assert not found, (
      f'{file.relative_to(ROOT)} imports {sorted(found)} at module level'
    )


def test_no_drawer_of_everything():
  names = [
    file for file in _files(*FOLDERS) if file.stem in ('utils', 'util', 'helpers')
  ]
  assert not names
