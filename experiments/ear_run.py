"""An ear that hears through rooms: what it hears there becomes what it heard without.

    python -m experiments.train --config experiments/configs/ear_rooms.py \
        --workdir runs/ear --set speech=speech.npz
    python -m experiments.ear_run runs/ear --out weights/ear.safetensors

Stage 2 follows clean speech better than speech in a room, a crowd or a telephone line,
for the lower layers of Whisper hear that a lip closes only where nothing covers it.
Here they learn it. Teacher is the ear as it is, which hears a speech clean; the pupil
hears the same speech through a microphone of the corpus. It is told the teacher's
features, and what a motion model makes of them: from pure noise, where its answer is
the mean of all motions that go with the sound. Features mean what they meant, so a
motion model that knows the old ear takes the new one without being trained again.
"""

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from data_pipelines import recordings
from experiments.command import run_command
from vasa_jax.audio.fronts import whisper_states
from vasa_jax.audio.whisper import WhisperEncoder
from vasa_jax.audio.whisper_file import WhisperWeights
from vasa_jax.errors import UsageError, UserError
from vasa_jax.inference.directing.named_motion import UNITS
from vasa_jax.teachers.loader import flatten, nest
from vasa_jax.training.config import RunConfig
from vasa_jax.training.job import Job
from vasa_jax.types import POSE_DIM, Array

_HELD_OUT_WORLD = 1 << 20  # its rooms come from other seeds
MOUTH = ('jaw', 'mouth', 'tongue')  # of the units, by the beginnings of their names
_JUDGED = 8  # batches of 16 that are held out


@dataclasses.dataclass(frozen=True, kw_only=True)
class EarRun(RunConfig):
  """Settings of the ear's training.

  Attributes:
    ear: the teacher: a file, or `embedded`.
    init_from: file of an ear that is the start; empty: the teacher.
    tuned: parts of the net that may change, by the beginnings of their names; what is
      not named stays as it is, bit for bit.
    speech: file that keeps the speeches; it is made when it is missing.
    speeches: how many; every twentieth is kept for the evaluation.
    voices: of the speeches, names or programs; none is all quick ones.
    frames: of a stretch that is heard at once, 25 a second.
    motion: weights folder of the motion model that is asked, or `embedded`.
    features, mouths: weights of the two errors: of what is heard, and of what mouths
      the motion model makes of it.
    workers: processes that speak.
  """

  ear: str = 'embedded'
  init_from: str = ''
  tuned: tuple[str, ...] = ('',)
  speech: str = 'speech.npz'
  speeches: int = 2000
  voices: tuple[str, ...] = ()
  frames: int = 125
  motion: str = 'embedded'
  features: float = 0.3
  mouths: float = 1.0
  workers: int = 2

  def job(self) -> Job:
    """The functions of the training engine."""
    weights = start(self.ear)
    if not 0 < self.frames <= weights.config.max_source_positions // 2:
      raise UsageError(f'frames={self.frames}: this ear hears 1 to 750 at once')
    _, fixed = cut(weights.params, self.tuned)
    tuned, _ = cut(start(self.init_from or self.ear).params, self.tuned)
    said, held_out = recordings.speeches(
      self.speeches, self.seed, self.speech, self.voices, self.workers
    )
    hear = heard_by(weights)
    asked, motion = asked_of(self.motion, weights.config.d_model)

    def errors(pupil, teacher, motion, batch, first, key):
      wanted = hear(teacher, batch['clean'], first)
      found = hear(pupil, batch['recorded'], first)
      mouths = (asked(motion, heard, key) for heard in (found, wanted))
      return {'features': error(found, wanted), 'mouths': error(*mouths)}

    def loss(params, batch, key, fixed, teacher, motion):
      longest = weights.config.max_source_positions // 2
      where, noise = jax.random.split(key)
      first = 2 * jax.random.randint(where, (), 0, longest - self.frames + 1)
      found = errors(joined(params, fixed), teacher, motion, batch, first, noise)
      value = self.features * found['features'] + self.mouths * found['mouths']
      return value, found

    @jax.jit
    def judged(pupil, batch):
      return errors(pupil, weights.params, motion, batch, 0, jax.random.key(0))

    def evaluate(params):
      draws = recordings.Recordings(
        held_out, self.frames, 16, (self.seed, _HELD_OUT_WORLD)
      )
      taught, rows = joined(params, fixed), []
      for _, batch in zip(range(_JUDGED), draws, strict=False):
        clean = {**batch, 'recorded': batch['clean']}
        found = {
          '': judged(taught, batch),
          'clean_': judged(taught, clean),
          'before_': judged(weights.params, batch),
        }
        rows.append(
          {a + b: float(x) for a, row in found.items() for b, x in row.items()}
        )
      return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    def batches(state, host, hosts):
      made = recordings.Recordings(
        said, self.frames, self.batch_size // hosts, (self.seed, host)
      )
      if state is not None:
        made.set_state(state)
      return made

    return Job(
      init=lambda key: jax.tree.map(jnp.asarray, tuned),
      loss=loss, batches=batches, evaluate=evaluate,
      frozen=(fixed, weights.params, motion),
    )  # fmt: skip


def start(ear: str) -> WhisperWeights:
  """The ear that is taught.

  Raises:
    UserError: it cannot be read.
  """
  from vasa_jax.audio.ear_file import EMBEDDED, load_ear

  return load_ear(EMBEDDED if ear == 'embedded' else ear)


def cut(params: dict, tuned: Sequence[str]) -> tuple[dict, dict]:
  """Parameters that may change and those that may not, both flat.

  The sines of the positions never change: the file does not hold them.

  Raises:
    UsageError: a name of `tuned` begins nothing.
  """
  flat = flatten(params)
  for name in tuned:
    if not any(key.startswith(name) for key in flat):
      raise UsageError(f'tuned: nothing of this ear begins with {name!r}')
  changes = {
    key: value for key, value in flat.items()
    if key.startswith(tuple(tuned)) and key != 'positions'
  }  # fmt: skip
  return changes, {key: value for key, value in flat.items() if key not in changes}


def joined(tuned: dict, fixed: dict) -> dict:
  """What `cut` took apart."""
  return nest({**tuned, **fixed})


def heard_by(weights: WhisperWeights) -> Callable[[dict, Array, Array | int], Array]:
  """`hear(params, samples (b, 640 t), first) -> (b, t, c)`, as `fronts.WhisperFront`.

  `first` is the position at 50 Hz that the samples are heard at.
  """
  model = WhisperEncoder(weights.config)

  def hear(params, samples, first):
    return whisper_states(model, params, samples, None, first)[-1]

  return hear


def asked_of(folder: str, width: int) -> tuple[Callable[..., Array], dict]:
  """What a motion model makes of features, and its variables.

  Returns:
    `asked(variables, features (b, t, width), key) -> (n, w, m)`, z-scored units of jaw,
    lips and tongue of each whole window, all else unknown; and the variables.

  Raises:
    UserError: the folder cannot be read, or its model hears otherwise.
  """
  from vasa_jax.inference.bundle import load_bundle
  from vasa_jax.motion.conditions import nothing
  from vasa_jax.motion.transformer import MotionTransformer

  bundle = load_bundle(None if folder == 'embedded' else folder)
  config = bundle.motion_config
  if config.audio_dim != width or not config.anchored:
    raise UserError(f'{bundle.name}: this motion model does not hear with such an ear')
  model = MotionTransformer(config)
  speak = [i for i, unit in enumerate(UNITS) if unit.startswith(MOUTH)]
  mouth = POSE_DIM + np.array(speak)

  def asked(variables, features, key):
    count = features.shape[1] // config.window
    features = features[:, : count * config.window]
    features = features.reshape(-1, config.window, width)
    b = len(features)
    given, unknown = nothing(config, b), jnp.zeros(b, bool)
    keep = given.keep.replace(
      previous_motion=unknown, previous_audio=unknown, emotion=unknown
    )
    noise = jax.random.normal(key, (b, config.window, config.motion_dim))
    last = jnp.full(b, config.diffusion_steps - 1)
    given = given.replace(features=features, keep=keep)
    return model.apply(variables, noise, last, given)[..., mouth]

  return asked, {'params': bundle.motion_params['params']}


def error(found: Array, wanted: Array) -> Array:
  """Mean squared error over the mean square of what changes in what is wanted."""
  moves = wanted - wanted.mean((0, 1), keepdims=True)
  return jnp.mean(jnp.square(found - wanted)) / jnp.mean(jnp.square(moves))


def taught(workdir: str) -> WhisperWeights:
  """The ear of a run.

  Raises:
    UserError: the folder holds no such run.
  """
  from vasa_jax.training.checkpoint import restore_params
  from vasa_jax.training.config import from_json

  file = Path(workdir) / 'config.json'
  if not file.is_file():
    raise UserError(f'{workdir} holds no run')
  run: Any = from_json(EarRun, file.read_text())
  before = start(run.ear)
  _, fixed = cut(before.params, run.tuned)
  return WhisperWeights(before.config, joined(restore_params(workdir), fixed))


def main(argv: Sequence[str] | None = None) -> int:
  """Writes a taught ear's file; the exit code."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.ear_run', description=__doc__.splitlines()[0]
  )
  parser.add_argument('workdir', help='run of configs/ear_rooms.py')
  parser.add_argument('--out', type=Path, required=True, help='the file, .safetensors')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)

  def work() -> int:
    from vasa_jax.audio.ear_file import save_ear

    save_ear(args.out, taught(args.workdir))
    print(args.out)
    return 0

  return run_command(work, args.debug)


if __name__ == '__main__':
  sys.exit(main())
