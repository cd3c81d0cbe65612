"""The renderer as a source of training pairs that needs no files (numpy, numba,
OpenCV).

Worker processes render clips of stills of ever new people into a pool in memory;
batches are drawn from the pool while it is renewed. `fill` renders a pool before
training starts. Workers never import jax, so they cannot touch a device.

    with LivePairs(seed=0, size=256, workers=16, batch=32, pool=4000) as pairs:
      pairs.fill(2000)
      for batch in pairs: ...
"""

import multiprocessing
import signal
import time
from multiprocessing import connection

import numpy as np

from data_pipelines.errors import UserError
from data_pipelines.pairs import Shots, centres_of, choose_frames, pair, stack

_LABELS = {'pose': (6,), 'dyn': (54,), 'points': (384, 3), 'centres': (3, 2)}


def _render_people(first, step, settings, pipe) -> None:
  """Body of a worker: renders people `first, first + step, ...` while somebody reads.

  The pipe holds less than a clip, so a worker is at most one clip ahead; when the
  parent closes its end, or dies, the next `send` fails and the worker ends.
  """
  signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
  # Each worker is one thread of work; without this OpenCV starts one per core.
  import cv2

  cv2.setNumThreads(0)
  try:
    from data_pipelines.synthetic.clips import render_stills

    seed = first
    while True:
      shots = render_stills(seed, *settings[:-1], art=settings[-1])
      acted = shots.performance
      dyn = np.concatenate([acted.units, acted.eyes], 1)
      labels = acted.pose, dyn, shots.points, centres_of(shots.landmarks)
      pipe.send((seed, shots.pictures, shots.shape, labels))
      seed += step
  except (BrokenPipeError, ConnectionResetError):
    return
  except Exception as error:  # told to the parent, which stops the run with one line
    pipe.send(('error', f'{type(error).__name__}: {error}'))


class LivePairs:
  """An endless iterator of batches (`data_pipelines.pairs`) drawn from rendered people.

  Args:
    seed: first person; different runs and hosts need seeds far apart (`host`).
    size: side of the pictures in pixels.
    workers: rendering processes, at least 1.
    batch: batch size.
    drivers: drivers for each source.
    frames: stills of each person.
    pool: people held in memory; `pool * frames * size^2 * 3` bytes.
    supersample: samples a pixel along each side; 1 is faster, 2 smoother.
    art: share of people that are painted or drawn.
    augment: colour jitter.
    host, hosts: this host's share of the people.
    patience: seconds without a new clip, while one is needed, before giving up.

  Raises:
    UserError: a worker failed or died, or memory does not suffice for the pool.
  """

  def __init__(
    self,
    seed: int = 0,
    size: int = 256,
    workers: int = 2,
    *,
    batch: int = 8,
    drivers: int = 3,
    frames: int = 20,
    pool: int = 512,
    supersample: int = 2,
    art: float = 0.1,
    augment: bool = True,
    host: int = 0,
    hosts: int = 1,
    patience: float = 300.0,
  ):
    if workers < 1 or batch < 1 or pool < 2 or frames < 2:
      raise UserError('LivePairs: workers and batch >= 1, pool and frames >= 2')
    self.batch, self.drivers, self.augment = batch, drivers, augment
    self.patience = patience
    self._seed, self._step = seed, 0
    self._hosts, self._host = hosts, host
    self._workers = workers
    self._settings = (frames, size, supersample, art)
    try:
      self._pictures = np.empty((pool, frames, size, size, 3), np.uint8)
      self._labels = {
        name: np.empty((pool, frames, *shape), np.float32)
        for name, shape in _LABELS.items()
      }
      self._shape = np.empty((pool, 64), np.float32)
    except MemoryError as error:
      raise UserError(f'no memory for a pool of {pool} clips') from error
    self._people = np.full(pool, -1, np.int64)
    self._count = self._received = 0
    self._skip = 0
    self._processes: dict = {}

  def __enter__(self) -> 'LivePairs':
    return self

  def __exit__(self, *_) -> None:
    self.close()

  @property
  def clips(self) -> int:
    """People in the pool now."""
    return self._count

  @property
  def received(self) -> int:
    """People rendered so far."""
    return self._received

  def _start(self) -> None:
    context = multiprocessing.get_context('spawn')
    stride = self._workers * self._hosts
    for worker in range(self._workers):
      ours, theirs = context.Pipe(duplex=False)
      first = self._seed + self._skip + self._host * self._workers + worker
      process = context.Process(
        target=_render_people,
        args=(first, stride, self._settings, theirs),
        daemon=True,
        name=f'renderer-{worker}',
      )
      process.start()
      theirs.close()  # so that a worker's death is seen as the end of its pipe
      self._processes[ours] = process

  def _receive(self, seconds: float) -> int:
    """Takes the clips that are ready within `seconds` into the pool; how many."""
    if not self._processes:
      self._start()
    ready = connection.wait(list(self._processes), seconds)
    for pipe in ready:
      try:
        clip = pipe.recv()
      except (EOFError, OSError):
        process = self._processes[pipe]
        process.join(timeout=2.0)
        name, code = process.name, process.exitcode
        self.close()
        raise UserError(
          f'{name} ended with code {code} (out of memory?); use fewer workers'
        ) from None
      if clip[0] == 'error':
        self.close()
        raise UserError(f'rendering failed: {clip[1]}')
      self._keep(*clip)
    return len(ready)

  def _keep(self, seed, pictures, shape, labels) -> None:
    slot = self._received % len(self._people)  # in a full pool the oldest goes
    self._count = max(self._count, slot + 1)
    self._received += 1
    self._people[slot] = seed
    self._pictures[slot] = pictures
    self._shape[slot] = shape
    for name, values in zip(_LABELS, labels, strict=True):
      self._labels[name][slot] = values

  def fill(self, clips: int, progress: bool = True) -> None:
    """Waits until the pool holds `clips` people; with a bar if tqdm is there."""
    clips = min(clips, len(self._people))
    bar = None
    if progress:
      try:
        from tqdm import tqdm

        bar = tqdm(total=clips, initial=min(self._count, clips), unit='clip')
      except ImportError:
        pass
    try:
      last = time.monotonic()
      while self._count < clips:
        before = self._count
        if self._receive(0.5):
          last = time.monotonic()
        elif time.monotonic() - last > self.patience:
          self.close()
          raise UserError(f'no rendered clip within {self.patience:.0f} s')
        if bar is not None:
          bar.update(min(self._count, clips) - before)
    finally:
      if bar is not None:
        bar.close()

  def __iter__(self) -> 'LivePairs':
    return self

  def __next__(self) -> dict[str, np.ndarray]:
    self.fill(2, progress=False)  # a stranger takes two people
    self._receive(0.0)  # what has come meanwhile
    rng = np.random.default_rng((self._seed, self._host, self._step, 3))
    self._step += 1
    chosen = rng.permutation(self._count)
    chosen = np.resize(chosen, self.batch)
    return stack([self._pair(int(slot), rng) for slot in chosen])

  def _pair(self, slot: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    frames = choose_frames(rng, self._pictures.shape[1], self.drivers)
    other = int((slot + rng.integers(1, self._count)) % self._count)
    stranger = self._pictures[other, rng.integers(self._pictures.shape[1])]
    shots = Shots(
      self._pictures[slot, frames],
      **{name: values[slot, frames] for name, values in self._labels.items()},
      shape=self._shape[slot],
    )
    return pair(shots, stranger, rng, self.augment)

  def get_state(self) -> dict[str, int]:
    """Where the source stands. A resumed run sees new people, not the same batches."""
    return {'step': self._step, 'people': self._skip + self._received * self._hosts}

  def set_state(self, state: dict[str, int]) -> None:
    """Goes on after the people that were seen; before the first batch only."""
    if self._processes:
      raise UserError('LivePairs: set the state before the first batch')
    self._step = int(state['step'])
    # some slack: workers had clips under way that were never counted
    stride = self._workers * self._hosts
    self._skip = -(-int(state['people']) // stride) * stride + 8 * stride

  def close(self) -> None:
    """Stops the workers; safe to call twice, also after Ctrl-C."""
    processes, self._processes = self._processes, {}
    for pipe in processes:
      pipe.close()
    until = time.monotonic() + 2.0
    for process in processes.values():
      process.join(timeout=max(until - time.monotonic(), 0.0))
      if process.is_alive():  # in the middle of a clip: nobody waits for it
        process.terminate()
        process.join(timeout=2.0)

  def __del__(self):
    if getattr(self, '_processes', None):
      self.close()
