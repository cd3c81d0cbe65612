"""Training batches from records, with grain: source, shuffle, pair or window, batch.

`face_pairs` feeds stage 1 (the batch of `pairs.py`), `talk_windows` cuts windows of
sound and exact motion for stage 2. Order of operations: shuffle, repeat, draw, then
this host's slice, so that global batch n is the same set of samples for any number of
hosts and workers, and the state is one number.

Damaged records are replaced (`clip_reader.py`); a worker that was killed stops the run.
"""

import os
import time
from collections.abc import Iterator

import numpy as np

from data_pipelines import schema
from data_pipelines.clip_reader import TRIES, ClipReader
from data_pipelines.errors import UserError
from data_pipelines.pairs import Shots, centres_of, choose_frames, pair


class _Pairs:
  """Index to one element of a batch of stage 1."""

  def __init__(
    self, reader: ClipReader, drivers: int, augment: bool, size: int, truth: bool
  ):
    self.reader, self.drivers, self.augment = reader, drivers, augment
    self.size, self.truth = size, truth

  def _picture(self, frame: bytes) -> np.ndarray:
    picture = schema.decode_picture(frame)
    wanted = (self.size, self.size, 3)
    if self.size and picture.shape != wanted:
      height, width = picture.shape[:2]
      raise ValueError(f'pictures are {width}x{height} px, {self.size} are wanted')
    return picture

  def __call__(self, index: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    def shots(clip: schema.Clip):
      if self.truth and clip.truth is None:
        raise UserError(
          f'clip {clip.clip_id} is not rendered: its dynamics and its flow, which this '
          'model is told, are unknown; train one whose latents are learned (face_paper)'
        )
      if clip.landmarks.shape[1] != 468 or not clip.visible.any():
        raise ValueError('no frame has labels that can be trusted')
      trusted = np.flatnonzero(clip.visible)
      frames = trusted[choose_frames(rng, len(trusted), self.drivers)]
      pictures = np.stack([self._picture(clip.frames[i]) for i in frames])
      return clip.identity, _shots(clip, frames, pictures)

    def stranger(clip: schema.Clip):
      frame = clip.frames[rng.integers(len(clip))]
      return clip.identity, self._picture(frame)

    who, found = self.reader.read(index, rng, shots)
    for _ in range(TRIES):  # in a corpus of one person the stranger is no stranger
      other, picture = self.reader.read(
        int(rng.integers(len(self.reader))), rng, stranger
      )
      if other != who:
        break
    return pair(found, picture, rng, self.augment)


def _shots(clip: schema.Clip, frames: np.ndarray, pictures: np.ndarray) -> Shots:
  """Labels of a clip's frames, as `pairs` explains them."""
  count, known = len(frames), clip.truth
  return Shots(
    pictures,
    clip.z_pose[frames],
    np.zeros((count, 54)) if known is None else clip.z_dyn[frames],
    np.zeros((count, schema.POINTS, 3)) if known is None else known.points[frames],
    centres_of(clip.landmarks[frames]),
    np.zeros(schema.SHAPE_DIM) if known is None else known.shape,
  )


class _Windows:
  """Index to one window of sound and motion."""

  def __init__(self, reader: ClipReader, frames: int):
    self.reader, self.frames = reader, frames

  def __call__(self, index: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    return self.reader.read(index, rng, lambda clip: window(clip, self.frames, rng))


def window(
  clip: schema.Clip, frames: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
  """A random stretch of a clip; a clip that is too short is padded at its end.

  Returns:
    audio `(640 frames,)` int16; motion `(frames, 60)` float32 [z_pose, z_dyn]; mask
    `(frames,)` float32, 0 in the padding, where motion repeats the last frame; gaze
    `(2,)` degrees, the main gaze: median over the stretch; distance `(1,)` and emotion
    `(8,)`: means over the stretch.
  """
  start = int(rng.integers(max(len(clip) - frames, 0) + 1))
  stop = min(start + frames, len(clip))
  there = slice(start, stop)
  motion = np.concatenate([clip.z_pose, clip.z_dyn], 1)[there]
  rest = frames - (stop - start)
  first, last = start * schema.SAMPLES_PER_FRAME, stop * schema.SAMPLES_PER_FRAME
  return {
    'audio': np.pad(clip.audio[first:last], (0, rest * schema.SAMPLES_PER_FRAME)),
    'motion': np.pad(motion, ((0, rest), (0, 0)), 'edge'),
    'mask': (np.arange(frames) < stop - start).astype(np.float32),
    'gaze': np.median(clip.gaze[there], 0).astype(np.float32),
    'distance': np.mean(clip.distance[there], keepdims=True).astype(np.float32),
    'emotion': np.mean(clip.emotion[there], 0).astype(np.float32),
  }


class Batches:
  """An endless iterator of numpy batches that can be resumed exactly.

  `get_state()` is `{'step': n}`: the same for all hosts and any number of workers.
  """

  def __init__(self, dataset, workers: int, threads: int, prefetch: int):
    self._dataset = dataset
    self._workers, self._threads, self._prefetch = workers, threads, prefetch
    self._step = 0
    self._iterator: Iterator | None = None

  def _start(self) -> Iterator:
    import grain

    if self._workers:
      from absl import flags

      # grain's workers read absl flags, which only absl.app.run has parsed
      if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
    rest = self._dataset[self._step :]
    options = grain.ReadOptions(
      num_threads=self._threads, prefetch_buffer_size=self._prefetch
    )
    stream = rest.to_iter_dataset(options)
    if self._workers:
      stream = stream.mp_prefetch(
        grain.MultiprocessingOptions(
          num_workers=self._workers, per_worker_buffer_size=self._prefetch
        )
      )
    return iter(stream)

  def __iter__(self) -> 'Batches':
    return self

  def __next__(self) -> dict[str, np.ndarray]:
    if self._iterator is None:
      self._iterator = self._start()
    try:
      batch = next(self._iterator)
    except UserError:
      raise
    except Exception as error:
      if 'UserError' in str(error):  # a worker process wraps what it raised
        line = str(error).split('UserError:')[-1].strip().splitlines()[0]
        raise UserError(line) from error
      if 'terminated unexpectedly' in str(error):
        self.close()
        raise UserError(
          'a loader process was killed (out of memory?); use fewer workers, or run the '
          'same command again to go on'
        ) from error
      raise
    self._step += 1
    return batch

  def get_state(self) -> dict[str, int]:
    return {'step': self._step}

  def set_state(self, state: dict[str, int]) -> None:
    self.close()
    self._step = int(state['step'])

  def close(self) -> None:
    """Stops workers and read-ahead; the next batch starts them again."""
    iterator, self._iterator = self._iterator, None
    if hasattr(iterator, 'close'):
      iterator.close()


def _batches(reader, draw, batch, seed, host, hosts, workers, threads, prefetch):
  import grain

  if batch % hosts:
    raise UserError(f'batch {batch} cannot be shared by {hosts} hosts')
  if not 0 <= host < hosts:
    raise UserError(f'host {host} of {hosts}: count from 0')

  class Draw(grain.transforms.RandomMap):
    def random_map(self, element, rng):
      return draw(int(element), rng)

  dataset = grain.MapDataset.range(len(reader)).seed(seed).shuffle().repeat()
  dataset = dataset.random_map(Draw())[host::hosts]
  dataset = dataset.batch(batch // hosts, drop_remainder=True)
  return Batches(dataset, workers, threads, prefetch)


def face_pairs(
  folder: str | os.PathLike,
  batch: int,
  drivers: int = 3,
  seed: int = 0,
  *,
  split: str = 'train',
  augment: bool = True,
  size: int = 0,
  truth: bool = True,
  host: int = 0,
  hosts: int = 1,
  workers: int = 0,
  threads: int = 2,
  prefetch: int = 4,
  bad_share: float = 0.01,
) -> Batches:
  """Batches for stage 1, `batch // hosts` elements each; keys in `pairs.py`.

  Args:
    folder: a corpus, rendered or made of real video.
    batch: size of the global batch.
    drivers: drivers for each source.
    seed: order and draws.
    split: train, validation or test.
    augment: colour jitter.
    size: side that the pictures must have; 0 takes what the first clip has.
    truth: refuse clips that are not rendered.
    host, hosts: which slice of the global batch.
    workers: decoding processes; 0 decodes in `threads` threads of this one.
    threads, prefetch: read-ahead; see grain.
    bad_share: share of damaged records that is tolerated.

  Raises:
    UserError: no corpus, no such split, too many damaged records, or a clip that is not
      rendered where truth is asked.
  """
  reader = ClipReader(folder, split, bad_share)
  draw = _Pairs(reader, drivers, augment, size, truth)
  return _batches(reader, draw, batch, seed, host, hosts, workers, threads, prefetch)


def talk_windows(
  folder: str | os.PathLike,
  frames: int,
  previous: int,
  batch: int,
  seed: int = 0,
  *,
  split: str = 'train',
  host: int = 0,
  hosts: int = 1,
  workers: int = 0,
  threads: int = 2,
  prefetch: int = 4,
  bad_share: float = 0.01,
) -> Batches:
  """Batches of windows of `previous + frames` frames; keys in `window`.

  The other arguments and errors are those of `face_pairs`. Give a corpus without
  stills.
  """
  reader = ClipReader(folder, split, bad_share)
  draw = _Windows(reader, previous + frames)
  return _batches(reader, draw, batch, seed, host, hosts, workers, threads, prefetch)


class Timed:
  """An iterator that knows which share of the time its user waited for it.

  `wait_fraction` counts from the first batch on: waiting / (waiting + work in between),
  so that start-up does not count.
  """

  def __init__(self, iterator):
    self._iterator = iterator
    self._waited = self._total = 0.0
    self._left: float | None = None

  def __iter__(self) -> 'Timed':
    return self

  def __next__(self):
    entered = time.perf_counter()
    batch = next(self._iterator)
    now = time.perf_counter()
    if self._left is not None:
      self._waited += now - entered
      self._total += now - self._left
    self._left = now
    return batch

  @property
  def wait_fraction(self) -> float:
    """0 = the step never waited, 1 = it did nothing else; 0 before two batches."""
    return self._waited / self._total if self._total else 0.0

  def get_state(self):
    return self._iterator.get_state()

  def set_state(self, state) -> None:
    self._iterator.set_state(state)
