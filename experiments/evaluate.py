"""Scores trained weights, or finished videos of any system.

    python -m experiments.evaluate --weights DIR --out REPORT     (or `embedded`)
    python -m experiments.evaluate --videos DIR --portraits DIR --out REPORT
    python -m experiments.evaluate --videos DIR --reference REAL --out REPORT

REPORT/ gets table.md, table.csv, table.json, clips.csv and report.html (one file, plots
and pictures inside). A run that was cut off goes on where it was; `--workers 2` looks
at two clips at a time. Videos may be of any system; with `--reference` their FVD25 and
other distances to the videos of REAL are measured (`fetch_weights i3d vgg16`), with
`--asked` whether they look where, and stand where, they were told to. For weights three
things are measured:

1. self reenactment of rendered people that nobody trained on: PSNR, SSIM, L1 and, once
   `python -m experiments.fetch_weights alexnet` has run, LPIPS; beside it the floors
   that learn nothing (`copy`: the portrait itself; `warp`: its pixels along the
   template's flow), `own eyes` (the model driven by what its motion encoder reads), and
   `model - warp`, what training is worth;
2. the pose of one person given to another and read back by the face mesh;
3. a photograph made to talk, looked at by nets that we did not train.

With the defaults and `lite`: about 5 minutes on two cores.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from experiments.command import run_command
from vasa_jax.errors import UsageError, UserError
from vasa_jax.files import write_whole


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    prog='python -m experiments.evaluate',
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  what = parser.add_mutually_exclusive_group(required=True)
  what.add_argument('--weights', help='weights folder, or `embedded`')
  what.add_argument('--videos', type=Path, help='folder of videos')
  parser.add_argument('--out', type=Path, required=True, help='folder of the report')
  parser.add_argument(
    '--portraits', type=Path, metavar='PATH',
    help='pictures whom the videos show: one file, or a folder matched by name',
  )  # fmt: skip
  parser.add_argument(
    '--reference', type=Path, metavar='DIR', help='real videos, for distances to them'
  )
  parser.add_argument(
    '--windows',
    type=int,
    default=4,
    help='of 25 frames from a video, for FVD; 0 is all',
  )
  parser.add_argument(
    '--asked', type=Path, metavar='FILE',
    help='JSON: {clip: {"gaze": [theta, phi], "distance": ratio}}, for E_g and E_d',
  )  # fmt: skip
  parser.add_argument(
    '--arcface', type=Path, metavar='FILE', help='published weights, for CSIM'
  )
  parser.add_argument('--workers', type=int, default=1, help='processes')
  parser.add_argument('--portrait', type=Path, help='photograph to talk (else shipped)')
  parser.add_argument('--voice', type=Path, help='speech to say (else shipped)')
  parser.add_argument(
    '--syncnet', metavar='FILE', help='published syncnet_v2.model, for S_C and S_D'
  )
  parser.add_argument(
    '--lpips', nargs='+', choices=('alexnet', 'vgg16'), default=['alexnet'],
    help='nets of LPIPS; vgg16 takes 20 times as long',
  )  # fmt: skip
  parser.add_argument('--talks', type=int, default=3, help='videos of it, by seed')
  parser.add_argument('--clips', type=int, default=40, help='rendered people')
  parser.add_argument('--frames', type=int, default=5, help='pairs a rendered person')
  parser.add_argument('--seed', type=int, default=0, help='which rendered people')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  arguments = parser.parse_args(argv)
  for name, least in (
    ('talks', 0), ('clips', 0), ('windows', 0), ('frames', 1), ('workers', 1)
  ):  # fmt: skip
    if getattr(arguments, name) < least:
      parser.error(f'--{name} is too small')
  return arguments


def main(argv: Sequence[str] | None = None) -> int:
  arguments = parse(argv)
  return run_command(lambda: evaluate(arguments), arguments.debug)


def evaluate(arguments: argparse.Namespace) -> int:
  """Runs what was asked and writes the report; the exit code."""
  from vasa_jax import __version__
  from vasa_jax.metrics import evaluator, table

  facts: dict[str, Any] = {'vasa_jax': __version__}
  rows: list[dict[str, Any]] = []
  describe = installed_descriptor(facts)
  reference = []
  if arguments.reference is not None:
    reference = evaluator.find_clips(arguments.reference, system='reference')
  if arguments.videos is not None:
    clips = evaluator.find_clips(
      arguments.videos, arguments.portraits, asked=_asked(arguments.asked)
    )
    title = f'Videos of {arguments.videos.resolve().name}'
  else:
    if arguments.portraits is not None:
      raise UsageError('--portraits belongs to --videos; here it is --portrait')
    if arguments.asked is not None:
      raise UsageError('--asked belongs to --videos')
    clips = _weights(arguments, facts, rows)
    title = f'Weights {facts["weights"]}'
  failures: Sequence[str] = ()
  strips = {}
  if clips:
    scores = evaluator.score_clips(
      clips, arguments.out, describe, watched('clips', 'clip'), arguments.workers,
      embed=_embedder(arguments.arcface), speech=_speech(arguments, facts),
    )  # fmt: skip
    rows += scores.rows
    strips, failures = scores.strips, scores.failures
  more = []
  if clips and reference:
    from vasa_jax.metrics.sets import compare

    found = compare(
      clips, reference, arguments.out, lambda what: watched(what, 'clip'),
      arguments.workers, arguments.windows,
    )  # fmt: skip
    more, facts = found.lines, facts | found.facts
    failures = list(dict.fromkeys([*failures, *found.failures]))
  if not rows:
    raise UsageError('nothing to measure: --clips and --talks are both 0')
  lines = table.write_report(
    arguments.out, rows, title=title, facts=facts, strips=strips, failures=failures,
    more=more,
  )  # fmt: skip
  print(table.markdown(lines))
  for failure in failures:
    print(f'not scored: {failure}', file=sys.stderr)
  print(arguments.out / 'report.html')
  return 0


def _asked(file: Path | None) -> dict:
  """The commands of a JSON file, by clip."""
  from vasa_jax.metrics.obeyed import parse_asked

  if file is None:
    return {}
  try:
    given = json.loads(file.read_text())
  except (OSError, ValueError) as error:
    raise UsageError(f'cannot read {file}: {error}') from error
  if not isinstance(given, dict):
    raise UsageError(f'{file}: write {{clip: {{"gaze": ..., "distance": ...}}}}')
  return {name: parse_asked(one, f'{file}, {name}') for name, one in given.items()}


def _embedder(file: Path | None):
  """ArcFace for CSIM, or None."""
  from vasa_jax.metrics.identity import ArcFaceDescriptor

  if file is None:
    return None
  if not file.is_file():
    raise UsageError(f'no ArcFace weights at {file}')
  return ArcFaceDescriptor(file)


def _weights(arguments, facts: dict[str, Any], rows: list[dict[str, Any]]) -> list:
  """Rendered scores into `rows`; the talking photographs, ready to be looked at."""
  from vasa_jax.inference.talking_face import TalkingFace

  path = None if arguments.weights == 'embedded' else arguments.weights
  face = TalkingFace.load(path)
  facts['weights'] = f'{face.bundle.name} {face.bundle.digest}'
  if arguments.clips:
    rows += _rendered(arguments, face.bundle, facts)
  return _talks(arguments, face, facts) if arguments.talks else []


def _rendered(arguments, bundle, facts: dict[str, Any]) -> list[dict[str, Any]]:
  """Self reenactment and pose transfer on rendered people; kept in `OUT/rendered`."""
  from experiments.held_out import cross_pairs, talking_pairs
  from vasa_jax.metrics import oracle
  from vasa_jax.metrics.adapters import bare_warp, face_adapter

  clips, frames, seed = arguments.clips, arguments.frames, arguments.seed
  size = bundle.face_config.size
  lpips = _lpips(arguments.lpips, facts)
  facts['rendered'] = (
    f'{clips} people of seed {seed}, {frames} pairs each at {size} px; pose transfer '
    'on 3 pairs each'
  )
  systems = {
    'model': face_adapter(bundle.face_config, bundle.face_params),
    'copy': oracle.copy_source(),
  }
  if bundle.face_config.anchored:
    systems['own eyes'] = face_adapter(bundle.face_config, bundle.face_params, True)
  if bundle.face_config.pixel_path is not None:
    systems['warp'] = bare_warp(bundle.face_config.pixel_path.prior_size)
  asked = [bundle.digest, clips, frames, seed, size, sorted(lpips), sorted(systems)]

  def self_rows():
    pairs = talking_pairs(clips, frames, size, seed)
    pairs = watched('self reenactment', 'pair', clips * frames)(pairs)
    rows = oracle.score_pairs(systems, pairs, lpips)
    return rows + oracle.gains(rows, 'warp')

  def pose_rows():
    pairs = watched('pose transfer', 'pair', clips * 3)(
      cross_pairs(clips, 3, size, seed)
    )
    return oracle.pose_transfer(systems, pairs)

  return [
    *_once(arguments.out, ['self', *asked], self_rows),
    *_once(arguments.out, ['pose', *asked], pose_rows),
  ]


def _once(out: Path, key: list, measure) -> list[dict[str, Any]]:
  """`measure()`, or what it gave for the same `key` in an earlier run."""
  name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:24]
  kept = out / 'rendered' / f'{name}.json'
  try:
    if kept.is_file():
      return json.loads(kept.read_text())
    rows = measure()
    write_whole(kept, json.dumps(rows))
  except OSError as error:
    raise UserError(f'cannot write to {out}: {error.strerror or error}') from error
  return rows


def _talks(arguments, face, facts: dict[str, Any]) -> list:
  """Makes the photograph talk once a seed; videos that are there are kept."""
  import vasa_jax
  from vasa_jax.inference.showing.viewport import shown
  from vasa_jax.metrics.evaluator import Clip

  shipped = Path(vasa_jax.__file__).with_name('examples')
  portrait = arguments.portrait or shipped / 'portrait.jpg'
  voice = arguments.voice or shipped / 'voice.wav'
  facts['talks'] = f'{portrait.name} says {voice.name}, {arguments.talks} seeds'
  crop = shown(face.portrait(portrait)).crop
  inputs = portrait.read_bytes() + voice.read_bytes() + crop.tobytes()
  sha = hashlib.sha256(inputs).hexdigest()[:8]
  folder = arguments.out / 'talks'
  try:
    folder.mkdir(parents=True, exist_ok=True)
  except OSError as error:
    raise UserError(f'cannot write to {folder}: {error.strerror}') from error
  clips = []
  for seed in watched('talking photographs', 'video')(range(arguments.talks)):
    name = f'{portrait.stem}_{voice.stem}_seed{seed}'
    path = folder / f'{name}_{face.bundle.digest}_{sha}.mp4'
    if not path.is_file():
      face.talk(portrait, voice, path, seed=seed)
    clips.append(Clip(name, path, crop))
  return clips


def installed_descriptor(facts: dict[str, Any]):
  """The identity descriptor if it is installed, else None and a word about it."""
  from vasa_jax.metrics.faces import load_descriptor

  try:
    return load_descriptor()
  except UserError as error:
    facts['not measured: identity'] = str(error)
    return None


def _speech(arguments, facts: dict[str, Any]):
  """Who judges sync and CAPP: the shipped nets, and SyncNet's own file if given."""
  from vasa_jax.metrics.speech_scores import SpeechFiles, SpeechJudges

  own = True
  try:
    SpeechJudges.shipped()
  except UserError as error:
    facts['not measured: sync and CAPP by our own nets'] = str(error)
    own = False
  files = SpeechFiles(own, arguments.syncnet)
  if files.load().about:
    facts['sync and CAPP'] = files.load().about
  return files


def _lpips(nets: Sequence[str], facts: dict[str, Any]) -> dict[str, Any]:
  """LPIPS by each net that was fetched, under the names of `table.METRICS`."""
  from vasa_jax.teachers.fetch import load_teacher
  from vasa_jax.teachers.lpips import make_lpips

  found = {}
  for net in nets:
    try:
      name = 'lpips' if net == 'alexnet' else 'lpips_vgg'
      found[name] = make_lpips(load_teacher(net), net)
    except UserError as error:
      facts[f'not measured: LPIPS ({net})'] = str(error)
  return found


def watched(what: str, unit: str, total: int | None = None):
  """A progress bar on stderr for an iterable; silent where nobody looks."""

  def watch(items: Iterable):
    from tqdm import tqdm

    return tqdm(items, desc=what, unit=unit, total=total, file=sys.stderr, disable=None)

  return watch


if __name__ == '__main__':
  sys.exit(main())
