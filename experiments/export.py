"""Writes a weights folder from two trained runs.

    python -m experiments.export --face runs/face_lite --motion runs/motion_lite \
        --out weights --hardware '2 CPU cores, 60 and 15 minutes' \
        --figures report/table.json

The newest checkpoint of each run, averaged where the run keeps an average, as float16
(`--dtype float32` for every bit). A run is a --workdir of `experiments.train`, or the
--out of `experiments.timebox`. config.json and MODEL_CARD.md get the same facts: steps,
time, data, versions, commit, and the figures of the runs' last evaluation; a model card
that is there is written anew. `--figures` is the table of `experiments.evaluate`.
"""

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.command import run_command
from vasa_jax.errors import UserError

# Metrics that `experiments.evaluate` takes from rendered people; the rest are of
# photographs.
RENDERED = {'psnr', 'ssim', 'l1', 'lpips', 'pose_error', 'pose_angle', 'found'}


@dataclasses.dataclass(frozen=True)
class Trained:
  """One run as it will be shipped.

  Attributes:
    run: its settings.
    params: NumPy, averaged where it keeps an average.
    facts: steps, seconds, data, figures, versions, commit (JSON values).
  """

  run: Any
  params: Any
  facts: dict[str, Any]


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
  """The command line."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.export',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  add = parser.add_argument
  add('--face', type=Path, required=True, metavar='WORKDIR', help='run of stage 1')
  add('--motion', type=Path, required=True, metavar='WORKDIR', help='run of stage 2')
  add('--out', type=Path, required=True, metavar='DIR', help='the weights folder')
  add('--hardware', default='', metavar='TEXT', help='what they were trained on')
  add('--data', default='', metavar='TEXT', help='a line on the data, if more is known')
  add('--figures', type=Path, metavar='FILE', help='table.json of experiments.evaluate')
  add('--dtype', choices=('float16', 'float32', 'int8'), default='float16',
      help='on disk; int8: 8 bits a weight of a matrix')  # fmt: skip
  add('--debug', action='store_true', help='show tracebacks')
  return parser.parse_args(argv)


def read_run(name: str, folder: Path) -> Trained:
  """A run's newest weights and what is known of them.

  Raises:
    UserError: no such run, none of this stage, or one without a checkpoint.
  """
  from experiments import carry

  if not folder.is_dir():
    raise UserError(f'{folder}: no such run; train the {name} stage there first')
  if (folder / 'config.json').is_file():
    return _read_workdir(name, folder)
  if not any(folder.glob(f'{name}.state.*')):
    raise UserError(f'{folder}: neither config.json nor {name}.state.*; not a run')
  with tempfile.TemporaryDirectory(prefix='vasa_export_') as scratch:
    carry.unpack(folder, name, Path(scratch) / name)
    return _read_workdir(name, Path(scratch) / name)


def _read_workdir(name: str, folder: Path) -> Trained:
  from experiments import carry
  from vasa_jax.face.step import model_params
  from vasa_jax.training.checkpoint import restore_params
  from vasa_jax.training.config import from_json

  try:
    run = from_json(carry.run_type(name), (folder / 'config.json').read_text())
  except UserError as error:
    raise UserError(f'{folder}: not a run of the {name} stage ({error})') from error
  except (OSError, ValueError) as error:
    raise UserError(f'{folder}/config.json is damaged ({error})') from error
  meta = newest_meta(folder)
  params = restore_params(folder, int(meta['step']))
  if name == 'face':
    params = model_params(params)  # a critic stays at home
  facts = {
    'steps': int(meta['step']),
    'seconds': round(float(meta.get('seconds', 0.0)), 1),
    'batch_size': run.batch_size,
    'data': describe_data(name, run),
    'figures': last_figures(folder / 'metrics.jsonl', int(meta['step'])),
    'versions': meta.get('versions', {}),
    'commit': meta.get('commit', ''),
  }
  return Trained(run, params, facts)


def newest_meta(folder: Path) -> dict[str, Any]:
  """What the newest checkpoint of a run knows: step, seconds, versions, commit.

  Raises:
    UserError: there is none, or it is damaged.
  """
  steps = [int(p.name) for p in (folder / 'checkpoints').glob('*') if p.name.isdigit()]
  if not steps:
    raise UserError(f'{folder} holds no checkpoint; train first, or check the path')
  file = folder / 'checkpoints' / str(max(steps)) / 'meta' / 'metadata'
  try:
    return json.loads(file.read_text())
  except (OSError, ValueError) as error:
    raise UserError(
      f'{file} cannot be read ({error}); delete that checkpoint'
    ) from error


def describe_data(name: str, run: Any) -> str:
  """One line on what a run was trained on, without the places of a machine."""
  if name == 'face':
    if run.source == 'live':
      return f'rendered people, straight from the renderer, seed {run.seed}'
    return f'rendered people (records {Path(run.records).name})'
  from data_pipelines.errors import UserError as DataError
  from data_pipelines.motion_cache import read_cache

  try:
    cache = read_cache(run.cache)
  except DataError:
    return 'motion records that are no longer at hand'
  return (
    f'{len(cache.ends)} clips, {cache.hours:.2f} hours of speech with its motion, '
    f'{int(cache.held_out.sum())} of them held out'
  )


def last_figures(file: Path, step: int) -> dict[str, float]:
  """The figures of the last evaluation up to a step; none where there was none."""
  figures: dict[str, Any] = {}
  text = file.read_text() if file.is_file() else ''
  for line in text.splitlines():
    try:
      values = json.loads(line)
    except ValueError:
      continue  # the half line of a machine that lost power
    found = {k[5:]: v for k, v in values.items() if k.startswith('eval/')}
    if found and values.get('step', 0) <= step:
      figures = {'step': values['step'], **found}
  return figures


def read_table(file: Path | None) -> dict[str, Any]:
  """`table.json` of `experiments.evaluate`, or nothing."""
  if file is None:
    return {}
  try:
    table = json.loads(file.read_text())
    lines = [
      {key: line.get(key) for key in ('system', 'metric', 'unit', 'value', 'low',
                                      'high', 'clips')}
      for line in table['metrics']
    ]  # fmt: skip
    return {'metrics': lines, 'facts': dict(table['facts'])}
  except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
    raise UserError(
      f'{file} is no table of experiments.evaluate ({type(error).__name__}: {error})'
    ) from error


def model_card(meta: Mapping[str, Any]) -> str:
  """MODEL_CARD.md from what config.json says."""
  face, motion = meta['face'], meta['motion']
  rows = []
  for name, facts in (('stage 1, face', face), ('stage 2, motion', motion)):
    rows.append(
      f'| {name} | {facts["params"] / 1e6:.2f} M | {facts["steps"]} | '
      f'{facts["batch_size"]} | {facts["seconds"] / 60:.1f} min | {facts["data"]} |'
    )
  parts = [
    '# Model card',
    'A face model and a motion model of `vasa_jax`, an independent implementation of '
    'the method of VASA-1 (arXiv 2404.10667): a portrait and a voice become a talking '
    'head. Neither weights nor data of the original are in it.',
    '## Training',
    '\n'.join([
      '| part | parameters | steps | batch | time | data |',
      '| --- | --- | --- | --- | --- | --- |', *rows,
    ]),
  ]  # fmt: skip
  facts = [f'- Hardware: {meta["hardware"]}'] if meta['hardware'] else []
  facts += [f'- Data: {meta["data"]}'] if meta['data'] else []
  versions = ', '.join(f'{k} {v}' for k, v in sorted(face['versions'].items()))
  facts += [f'- Versions: {versions}'] if versions else []
  commits = sorted({x['commit'] for x in (face, motion)} - {''})
  facts += [f'- Commit: {", ".join(commits)}'] if commits else []
  parts += ['\n'.join(facts)] if facts else []
  parts += ['## Figures on rendered people', *_figures(meta, rendered=True)]
  parts += ['## Figures on a real photograph', *_figures(meta, rendered=False)]
  parts += [
    '## Limits',
    'Trained on rendered heads and acted motion alone: no photograph was seen, and '
    'figures on rendered people say little about photographs. Best with a sharp '
    'picture from the front. Glasses, beards and hands are not in the corpus; large '
    'turns of the head are rare in it. One face a picture, 25 frames a second. Lips '
    'follow speech by an acted rule, not as one person does.',
    'Every video that the program makes says in its metadata that it is synthetic. Do '
    'not show people who did not agree to it, and do not deceive.',
    '## Licence',
    'Apache-2.0. The rendered heads are made from CC0 assets (NOTICE).',
  ]
  return '\n\n'.join(parts) + '\n'


def _figures(meta: Mapping[str, Any], rendered: bool) -> list[str]:
  table = meta['evaluation']
  lines = [
    line for line in table.get('metrics', ())
    if (line['metric'] in RENDERED) == rendered and line['value'] is not None
  ]  # fmt: skip
  parts = []
  if lines:
    body = ['| metric | system | mean | 95 % interval | clips |', '| --- ' * 5 + '|']
    for line in lines:
      name = f'{line["metric"]} ({line["unit"]})' if line['unit'] else line['metric']
      low, high = line['low'], line['high']
      cells = [
        name, line['system'], f'{line["value"]:.4g}',
        'one clip' if low is None else f'{low:.4g} to {high:.4g}', line['clips'],
      ]  # fmt: skip
      body.append('| ' + ' | '.join(map(str, cells)) + ' |')
    parts.append('\n'.join(body))
    about = table['facts'].get('rendered' if rendered else 'talks')
    parts += [f'{about}.'] if about else []
  if rendered:
    for name in ('face', 'motion'):
      found = dict(meta[name]['figures'])
      step = found.pop('step', None)
      if found:
        values = ', '.join(f'{k} {v:.4g}' for k, v in found.items() if v is not None)
        parts.append(f'Held-out figures of the {name} run at step {step}: {values}.')
  return parts or ['Not measured.']


def export(args: argparse.Namespace) -> int:
  """Writes the folder that `args` ask for."""
  import jax

  from vasa_jax import __version__
  from vasa_jax.face.autoencoder import without_spectral_norm
  from vasa_jax.inference.bundle import Bundle, save_bundle

  table = read_table(args.figures)
  face, motion = read_run('face', args.face), read_run('motion', args.motion)
  counted = {'face': face.params, 'motion': motion.params['params']}
  meta = {
    'vasa_jax': __version__,
    'hardware': args.hardware,
    'data': args.data,
    'evaluation': table,
    **{
      name: {'params': sum(x.size for x in jax.tree.leaves(counted[name])), **one.facts}
      for name, one in (('face', face), ('motion', motion))
    },
  }
  # Accelerators train with bfloat16 products; where the weights are used is another
  # matter, and a CPU is fastest with float32.
  configs = [dataclasses.replace(x.run.model, dtype='float32') for x in (face, motion)]
  face_config, face_params = without_spectral_norm(configs[0], face.params)
  bundle = Bundle(face_config, face_params, configs[1], motion.params, meta)
  save_bundle(args.out, bundle, args.dtype)
  try:
    (args.out / 'MODEL_CARD.md').write_text(model_card(meta))
  except OSError as error:
    raise UserError(f'cannot write to {args.out}: {error.strerror}') from error
  size = sum(file.stat().st_size for file in args.out.iterdir()) / 2**20
  print(
    f'{args.out}: face step {face.facts["steps"]}, motion step '
    f'{motion.facts["steps"]}, {size:.1f} MiB'
  )
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  args = parse(argv)
  return run_command(lambda: export(args), args.debug)


if __name__ == '__main__':
  sys.exit(main())
