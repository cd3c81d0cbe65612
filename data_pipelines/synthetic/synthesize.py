"""Renders a corpus of talking heads: `python -m data_pipelines.synthetic.synthesize`.

    python -m data_pipelines.synthetic.synthesize --clips 1000 --size 256 --out DIR \\
      --seed 0 --workers 8 [--split train] [--stills 0.5]

A clip is a pure function of (recipe, index): the same command gives the same bytes with
any number of workers, and an interrupted run goes on at the first missing shard when
it is given again. Validation and test draw other people, voices' tempers and sentences
than train. About 3.5 CPU-seconds a talking clip of 3 s at 256 px.
"""

import argparse
import dataclasses
import functools
import json
import multiprocessing
import os
import pathlib
import signal
import sys
from typing import NamedTuple

import numpy as np

from data_pipelines import schema
from data_pipelines.errors import UsageError, UserError
from data_pipelines.synthetic import scene, speech
from data_pipelines.synthetic.heads import sample_identity
from data_pipelines.synthetic.performance import Performance, perform, pose_for_stills
from data_pipelines.synthetic.render import Renderer
from data_pipelines.synthetic.sentences import sentence
from data_pipelines.synthetic.shape import identity_shape

# Seeds of people: a split starts where no corpus of another split will ever reach.
SPLIT_OFFSET = {'train': 0, 'validation': 1 << 40, 'test': 2 << 40}
_SEED_STRIDE = 1 << 24  # clips that one --seed may hold
SHARD_CLIPS = 16
SOURCE = 'rendered by vasa_jax'
LICENCE = 'CC0-1.0'


@dataclasses.dataclass(frozen=True)
class Recipe:
  """What a corpus is made of; equal recipes give equal bytes.

  Attributes:
    clips: how many clips.
    size: side of the square frames in pixels.
    seed: another seed draws other people.
    split: train, validation or test.
    stills: share of clips that are unrelated stills instead of talk, 0..1.
    frames: frames of a clip of stills.
    supersample: samples a pixel along each side; 2 is smooth, 1 is twice as fast.
    voices: voices of `speech.available_voices()`.
    seconds: shortest and longest talking clip.
  """

  clips: int
  size: int
  seed: int = 0
  split: str = 'train'
  stills: float = 0.0
  frames: int = 20
  supersample: int = 2
  voices: tuple[str, ...] = ('formant:man', 'formant:woman')
  seconds: tuple[float, float] = (2.0, 4.0)

  def __post_init__(self):
    if self.split not in SPLIT_OFFSET:
      raise UsageError(f'--split {self.split!r} is none of {", ".join(SPLIT_OFFSET)}')
    if not 0 < self.clips <= _SEED_STRIDE:
      raise UsageError(f'--clips must be 1 to {_SEED_STRIDE}, not {self.clips}')
    if not 0 <= self.seed < (1 << 40) // _SEED_STRIDE:
      raise UsageError(f'--seed must be 0 to {(1 << 40) // _SEED_STRIDE - 1}')
    if not 16 <= self.size <= 2048:
      raise UsageError(f'--size must be 16 to 2048 pixels, not {self.size}')
    if not 0 <= self.stills <= 1:
      raise UsageError(f'--stills is a share, 0 to 1, not {self.stills}')
    if self.frames < 2 or self.supersample < 1:
      raise UsageError('--frames must be 2 or more and --supersample 1 or more')
    if not self.voices and self.stills < 1:
      raise UsageError('--voices: name at least one voice')

  def person(self, index: int) -> int:
    """Seed of the person in clip `index`; no two clips of all splits share one."""
    return SPLIT_OFFSET[self.split] + self.seed * _SEED_STRIDE + index

  def is_still(self, index: int) -> bool:
    """Stills are spread evenly over the corpus."""
    return int((index + 1) * self.stills + 1e-9) > int(index * self.stills + 1e-9)


class Scene(NamedTuple):
  """A rendered clip before it is encoded.

  pictures: `(t, s, s, 3)` uint8 RGB. points: `(t, 384, 3)` float16 x, y in crop units,
  visible. shape: `(64,)` float32. The others as in `Truth`.
  """

  pictures: np.ndarray
  points: np.ndarray
  performance: Performance
  shape: np.ndarray
  identity_vector: np.ndarray
  light: np.ndarray


@functools.lru_cache(maxsize=2)
def _renderer(size: int, supersample: int) -> Renderer:
  return Renderer(size, supersample)


def render(
  seed: int,
  performance: Performance,
  rng: np.random.Generator,
  size: int,
  supersample: int = 2,
) -> Scene:
  """Draws the person `seed` through a performance; `rng` draws light and background."""
  identity = sample_identity(seed)
  light = scene.sample_light(rng)
  renderer = _renderer(size, supersample)
  renderer.load(identity, scene.sample_background(rng, size))
  shots = [
    renderer.frame(units, pose, eyes, light)
    for units, pose, eyes in zip(
      performance.units, performance.pose, performance.eyes, strict=True
    )
  ]
  parts = (light.directions, light.colours, light.sky, light.ground)
  return Scene(
    pictures=np.stack([shot.picture for shot in shots]),
    points=np.stack([shot.points for shot in shots]).astype(np.float16),
    performance=performance,
    shape=identity_shape(identity),
    identity_vector=identity.vector(),
    light=np.concatenate([np.ravel(part) for part in parts]).astype(np.float32),
  )


def render_stills(seed: int, frames: int, size: int, supersample: int = 2) -> Scene:
  """Unrelated frames of the person `seed`: what stage 1 learns from."""
  rng = np.random.default_rng((seed, 2))
  return render(seed, pose_for_stills(rng, frames), rng, size, supersample)


def say_something(rng: np.random.Generator, recipe: Recipe) -> speech.Speech:
  """A random sentence (two if one is short) in a random voice, cut to length."""
  voice = recipe.voices[rng.integers(len(recipe.voices))]
  shortest, longest = (int(s * schema.SAMPLE_RATE) for s in recipe.seconds)
  text = sentence(rng)
  while True:
    said = speech.speak(text, voice, rng)
    if len(said.audio) >= shortest:
      return speech.trim(said, longest)
    text = f'{text} {sentence(rng)}'


def render_clip(index: int, recipe: Recipe) -> schema.Clip:
  """Clip `index` of a corpus; a pure function of its arguments."""
  seed = recipe.person(index)
  if recipe.is_still(index):
    said = None
    shots = render_stills(seed, recipe.frames, recipe.size, recipe.supersample)
  else:
    rng = np.random.default_rng((seed, 1))
    said = say_something(rng, recipe)
    acted = perform(said, rng)
    shots = render(seed, acted, rng, recipe.size, recipe.supersample)
  return _clip(f'{recipe.split}-{recipe.seed}-{index:06d}', seed, shots, said)


def _clip(
  clip_id: str, seed: int, shots: Scene, said: speech.Speech | None
) -> schema.Clip:
  acted = shots.performance
  frames = len(shots.pictures)
  audio = np.zeros(frames * schema.SAMPLES_PER_FRAME, np.int16)
  phones = said.phones if said else ()
  if said:
    audio[: len(said.audio)] = np.round(said.audio.clip(-1, 1) * 32767)
  times = np.array([(p.start, p.end) for p in phones], np.float32).reshape(-1, 2)
  truth = schema.Truth(
    units=acted.units,
    eyes=acted.eyes,
    viseme=acted.viseme.astype(np.int32),
    phones=tuple(p.name for p in phones),
    phone_times=times,
    text=said.text if said else '',
    voice=said.voice if said else '',
    identity_vector=shots.identity_vector,
    shape=shots.shape,
    points=shots.points,
    light=shots.light,
    seed=seed,
  )
  pose = np.concatenate([np.rad2deg(acted.pose[:, :3]), acted.pose[:, 4:]], 1)
  return schema.Clip(
    clip_id=clip_id,
    identity=f'rendered-{seed}',
    source=SOURCE,
    licence=LICENCE,
    frames=tuple(schema.encode_picture(picture) for picture in shots.pictures),
    audio=audio,
    pose=pose.astype(np.float32),
    gaze=acted.gaze,
    distance=acted.distance,
    emotion=acted.emotion,
    landmarks=np.zeros((frames, 0, 2), np.float32),
    visible=np.ones(frames, bool),
    truth=truth,
  )


_serialize = None


def _start_worker() -> None:
  """The parent alone answers Ctrl-C; one thread each, for there are many workers."""
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  import cv2

  cv2.setNumThreads(0)


def _record(job: tuple[int, Recipe]) -> bytes:
  global _serialize
  if _serialize is None:
    from data_pipelines.builder import serializer

    _serialize = serializer()
  return _serialize(render_clip(*job))


def _claim(folder: pathlib.Path, recipe: Recipe) -> None:
  """Notes the recipe in the folder, or checks that it is the one noted there.

  Raises:
    UserError: the folder cannot be written, or holds a corpus of another recipe.
  """
  path = folder / f'recipe-{recipe.split}.json'
  text = json.dumps(dataclasses.asdict(recipe), indent=1) + '\n'
  try:
    folder.mkdir(parents=True, exist_ok=True)
    if path.exists():
      if path.read_text() != text:
        raise UserError(
          f'{folder} holds another {recipe.split} corpus (see {path.name}); '
          'choose another --out, or give the command that made it'
        )
      return
    part = path.with_name(path.name + '.part')
    try:
      part.write_text(text)
      os.replace(part, path)
    finally:
      part.unlink(missing_ok=True)
  except OSError as error:
    raise UserError(f'cannot write in {folder}: {error.strerror or error}') from error


def synthesize(recipe: Recipe, out: str | os.PathLike, workers: int = 1) -> int:
  """Makes a corpus, or what is missing of it.

  Args:
    recipe: what.
    out: folder; made if missing.
    workers: processes that render; 0 renders in this one.

  Returns:
    How many clips were rendered now.

  Raises:
    UserError: disk full or not writable, another corpus in the folder, a worker died.
  """
  from tqdm import tqdm

  from data_pipelines import builder

  folder = pathlib.Path(out)
  _claim(folder, recipe)
  for part in folder.glob(f'*-{recipe.split}.*.part'):
    part.unlink()
  shards = -(-recipe.clips // SHARD_CLIPS)
  paths = [builder.shard_path(folder, recipe.split, s, shards) for s in range(shards)]
  missing = [s for s, path in enumerate(paths) if not path.exists()]
  jobs = [
    (index, recipe)
    for s in missing
    for index in range(s * SHARD_CLIPS, min((s + 1) * SHARD_CLIPS, recipe.clips))
  ]
  if not jobs:
    builder.write_catalogue(folder)
    return 0
  bar = tqdm(
    total=recipe.clips, initial=recipe.clips - len(jobs), unit='clip', smoothing=0.05
  )
  with bar, _records(jobs, min(workers, len(jobs))) as records:
    for s in missing:
      count = min(SHARD_CLIPS, recipe.clips - s * SHARD_CLIPS)
      shard = []
      for _ in range(count):
        shard.append(next(records))
        bar.update()
      builder.write_shard(paths[s], shard)
  builder.write_catalogue(folder)
  return len(jobs)


class _records:
  """Context with an iterator of records in the order of the jobs."""

  def __init__(self, jobs, workers: int):
    self._jobs, self._workers, self._pool = jobs, workers, None

  def __enter__(self):
    if self._workers < 1:
      return map(_record, self._jobs)
    # executors, not multiprocessing.Pool: a Pool waits for ever for a killed worker
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context('spawn')
    self._pool = ProcessPoolExecutor(self._workers, context, _start_worker)
    return self._drain()

  def _drain(self):
    """Keeps a bounded number of clips under way, so that memory stays flat."""
    from collections import deque
    from concurrent.futures.process import BrokenProcessPool

    ahead = deque()
    jobs = iter(self._jobs)
    try:
      for job in jobs:
        ahead.append(self._pool.submit(_record, job))
        if len(ahead) >= 4 * self._workers:
          yield ahead.popleft().result()
      while ahead:
        yield ahead.popleft().result()
    except BrokenProcessPool as error:
      raise UserError(
        'a rendering process was killed (out of memory?); '
        'run the command again with fewer --workers, it goes on where it stopped'
      ) from error

  def __exit__(self, kind, error, trace):
    if self._pool is not None:
      self._pool.shutdown(wait=True, cancel_futures=True)
    return False


def _parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    prog='python -m data_pipelines.synthetic.synthesize', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  add = parser.add_argument
  add('--clips', type=int, required=True, help='how many clips the corpus has')
  add('--size', type=int, default=256, help='side of the frames in pixels')
  add('--out', required=True, help='folder of the corpus')
  add('--seed', type=int, default=0, help='another seed draws other people')
  add('--workers', type=int, default=os.cpu_count() or 1, help='processes; 0 = none')
  add('--split', default='train', choices=tuple(SPLIT_OFFSET))
  add('--stills', type=float, default=0.0, help='share of clips of unrelated stills')
  add('--frames', type=int, default=20, help='frames of a clip of stills')
  add('--supersample', type=int, default=2, help='1 is twice as fast, 2 is smooth')
  add(
    '--voices',
    nargs='+',
    default=None,
    help='e.g. flite espeak:en-us; default all installed',
  )
  add('--debug', action='store_true', help='show where an error came from')
  return parser


def main(arguments: list[str] | None = None) -> int:
  args = _parser().parse_args(arguments)
  try:
    voices = speech.available_voices() if args.voices is None else tuple(args.voices)
    if args.voices is None:  # the built-in voice only where nothing better is installed
      voices = tuple(v for v in voices if not v.startswith('formant:')) or voices
    if args.workers < 0:
      raise UsageError('--workers must be 0 or more')
    recipe = Recipe(
      clips=args.clips,
      size=args.size,
      seed=args.seed,
      split=args.split,
      stills=args.stills,
      frames=args.frames,
      supersample=args.supersample,
      voices=speech.check_voices(voices),
    )
    made = synthesize(recipe, args.out, args.workers)
    print(f'{args.out}: {recipe.clips} clips, {made} of them rendered now')
    return 0
  except KeyboardInterrupt:
    print('interrupted; the same command goes on where it stopped', file=sys.stderr)
    return 1
  except UserError as error:
    if args.debug:
      raise
    print(f'synthesize: {error}', file=sys.stderr)
    return 2 if isinstance(error, UsageError) else 1


if __name__ == '__main__':
  sys.exit(main())
