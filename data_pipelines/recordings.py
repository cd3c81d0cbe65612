"""Speech, clean and as a microphone heard it: what an ear learns to hear through.

    known, held_out = speeches(2000, seed=31, keep='speech.npz', workers=2)
    for batch in Recordings(known, frames=125, size=8, seed=(0,)):
      batch['clean'], batch['recorded']            # (8, 80000) each, the same instants

Rooms, microphones, lines and noise are the corpus's, drawn anew for every batch;
speeches are of its train voices and texts, those held out of its validation ones.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data_pipelines.errors import UserError
from data_pipelines.motion_speech import HELD_OUT_EVERY, voices_for
from data_pipelines.synthetic.processes import InOrder
from data_pipelines.synthetic.speaking import acoustics, voices
from data_pipelines.synthetic.speaking.speech import SAMPLE_RATE

CLEAN, ROOM = 0.15, 0.6  # of the recordings; the rest through milder microphones
BEFORE = SAMPLE_RATE // 2  # samples before a stretch that still sound in its room
PER_FRAME = 640
_SHORTEST, _LONGEST = 2.0, 10.0  # seconds that are wanted
_MOST = 30  # seconds that are kept


class Recordings:
  """Endless batches of stretches, clean and recorded; the state is a count.

  Each batch is `clean` and `recorded`, both `(size, 640 frames)` float32 at the level
  that `features.loudness` finds in them.

  Args:
    said: speeches, `(n,)` int16 at 16 kHz each; short ones end in silence.
    frames: of a stretch, 25 a second.
    size: stretches of a batch.
    seed: of places and rooms.
  """

  def __init__(
    self, said: Sequence[np.ndarray], frames: int, size: int, seed: tuple[int, ...]
  ):
    self.said, self.frames, self.size, self.seed = said, frames, size, seed
    self.count = 0

  def __iter__(self):
    return self

  def __next__(self) -> dict[str, np.ndarray]:
    rng = np.random.default_rng((*self.seed, self.count))
    self.count += 1
    drawn = [self._pair(rng) for _ in range(self.size)]
    clean, recorded = (np.stack(part) for part in zip(*drawn, strict=True))
    return {'clean': clean, 'recorded': recorded}

  def _pair(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    from vasa_jax.audio.features import as_float, loudness

    said = self.said[int(rng.integers(len(self.said)))]
    wide = BEFORE + self.frames * PER_FRAME
    at = int(rng.integers(-BEFORE, max(1, len(said) - wide + 1)))
    inside = as_float(said[max(0, at) : at + wide])
    clean = np.pad(inside, (max(0, -at), wide - max(0, -at) - len(inside)))
    pair = clean, microphone(clean, rng)
    clean, recorded = (
      (one * loudness(one).gain)[BEFORE:].astype(np.float32) for one in pair
    )
    return clean, recorded

  def get_state(self) -> int:
    return self.count

  def set_state(self, state: int) -> None:
    self.count = int(state)


def microphone(clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """`(n,)` the same speech through a room and a microphone, or as it is."""
  how = rng.random()
  if how < CLEAN:
    return clean
  if how < CLEAN + ROOM:
    return acoustics.record(clean, acoustics.sample_room(rng), rng)
  return acoustics.in_a_room(clean, rng)


def speeches(
  count: int, seed: int, keep: str | Path, names: Sequence[str] = (), workers: int = 1
) -> tuple[list[np.ndarray], list[np.ndarray]]:
  """Clean speech to learn from and to be judged by, `(n,)` int16 at 16 kHz each.

  Args:
    count: of speeches of 2 to 10 seconds (2,000: 5 hours of speech, 3 minutes of work).
    seed: of voices and texts.
    keep: file that holds them; made when it is missing, read when it is there.
    names: voices or programs; none is all quick ones of this machine.
    workers: processes that speak.

  Raises:
    UserError: the file is of other settings, or a voice is not on this machine.
  """
  from vasa_jax.teachers.loader import load_arrays, save_npz

  key = f'{count} {seed} {" ".join(names)}'
  if not Path(keep).is_file():
    made = _spoken(count, seed, voices_for(names), workers)
    save_npz(keep, {
      'key': np.array(key), 'samples': np.concatenate(made),
      'ends': np.cumsum([len(one) for one in made]),
    })  # fmt: skip
  kept = load_arrays(keep)
  if 'key' not in kept or str(kept['key']) != key:
    raise UserError(f'{keep} was made with other settings; name another file')
  made = np.split(kept['samples'], kept['ends'][:-1])
  known = [one for i, one in enumerate(made) if i % HELD_OUT_EVERY]
  return known, made[::HELD_OUT_EVERY]


def _spoken(
  count: int, seed: int, names: tuple[str, ...], workers: int
) -> list[np.ndarray]:
  from tqdm import tqdm

  jobs = [(seed, i, names) for i in range(count)]
  with InOrder(_say, jobs, workers) as made:
    return list(tqdm(made, 'speeches', count, unit='speech', disable=None))


def _say(job: tuple[int, int, tuple[str, ...]]) -> np.ndarray:
  """One speech, in a throat of its own length."""
  seed, index, names = job
  rng = np.random.default_rng([seed, index])
  split = 'train' if index % HELD_OUT_EVERY else 'validation'
  said = voices.say(rng, split, names, float(rng.uniform(_SHORTEST, _LONGEST)))
  longer = float(np.exp(np.clip(rng.normal(0, 0.07), -0.15, 0.15)))
  audio = acoustics.stretch(said, longer).audio[: _MOST * SAMPLE_RATE]
  return np.rint(np.clip(audio, -1, 1) * 32767).astype(np.int16)
