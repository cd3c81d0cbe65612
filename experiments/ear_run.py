"""An ear that hears through rooms: what it hears there becomes what it heard without.

    python -m experiments.train --config experiments/configs/ear_rooms.py \
        --workdir runs/ear --set speech=speech.npz
    python -m experiments.ear_run runs/ear --out weights/ear.safetensors

Stage 2 follows clean speech better than speech in a room, a crowd or a telephone line,
for the lower layers of Whisper hear that a lip closes only where nothing covers it.
Here they learn it. Teacher is the ear as it is, which hears a speech clean; the pupil
hears the same speech through a microphone of the corpus, and is told the teacher's
features. Features mean what they meant, so a motion model that knows the old ear takes
the new one without being trained again.
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
from vasa_jax.audio.encoder import pairs
from vasa_jax.audio.fronts import SPEECH_PEAK
from vasa_jax.audio.whisper import WhisperEncoder, whisper_mel
from vasa_jax.audio.whisper_file import WhisperWeights
from vasa_jax.errors import UsageError, UserError
from vasa_jax.teachers.loader import flatten, nest
from vasa_jax.training.config import RunConfig
from vasa_jax.training.job import Job
from vasa_jax.types import Array

_HELD_OUT_WORLD = 1 << 20  # its rooms come from other seeds
_JUDGED = 8  # batches of 16 that are held out


@dataclasses.dataclass(frozen=True, kw_only=True)
class EarRun(RunConfig):
  """Settings of the ear's training.

  Attributes:
    ear: the teacher and the start: a file, or `embedded`.
    tuned: parts of the net that may change, by the beginnings of their names; what is
      not named stays as it is, bit for bit.
    speech: file that keeps the speeches; it is made when it is missing.
    speeches: how many; every twentieth is kept for the evaluation.
    voices: of the speeches, names or programs; none is all quick ones.
    frames: of a stretch that is heard at once, 25 a second.
    workers: processes that speak.
  """

  ear: str = 'embedded'
  tuned: tuple[str, ...] = ('',)
  speech: str = 'speech.npz'
  speeches: int = 2000
  voices: tuple[str, ...] = ()
  frames: int = 125
  workers: int = 2

  def job(self) -> Job:
    """The functions of the training engine."""
    weights = start(self.ear)
    if not 0 < self.frames <= weights.config.max_source_positions // 2:
      raise UsageError(f'frames={self.frames}: this ear hears 1 to 750 at once')
    tuned, fixed = cut(weights.params, self.tuned)
    said, held_out = recordings.speeches(
      self.speeches, self.seed, self.speech, self.voices, self.workers
    )
    hear = heard_by(weights)

    def loss(params, batch, key, fixed, teacher):
      longest = weights.config.max_source_positions // 2
      first = 2 * jax.random.randint(key, (), 0, longest - self.frames + 1)
      wanted = hear(teacher, batch['clean'], first)
      found = hear(joined(params, fixed), batch['recorded'], first)
      return error(found, wanted), {}

    def evaluate(params):
      draws = recordings.Recordings(
        held_out, self.frames, 16, (self.seed, _HELD_OUT_WORLD)
      )
      taught = joined(params, fixed)
      run = jax.jit(lambda p, x: hear(p, x, 0))
      rows = []
      for _, batch in zip(range(_JUDGED), draws, strict=False):
        wanted = run(weights.params, batch['clean'])
        rows.append([
          float(error(run(taught, batch['recorded']), wanted)),
          float(error(run(weights.params, batch['recorded']), wanted)),
          float(error(run(taught, batch['clean']), wanted)),
        ])  # fmt: skip
      names = ('recorded', 'recorded_before', 'clean')
      return dict(zip(names, np.mean(rows, 0).tolist(), strict=True))

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
      frozen=(fixed, weights.params),
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
    samples = jnp.pad(samples, ((0, 0), (0, 320)))
    bands = weights.config.num_mel_bins
    mel = whisper_mel(samples, bands, SPEECH_PEAK, xp=jnp)[:, :-2]
    return pairs(model.apply({'params': params}, mel, None, first)[-1])

  return hear


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
