"""Training batches of motion windows, with voices changed on the way (numpy only).

Global batch n is a function of the seed and n alone, so that resuming needs no more
than n, on any number of hosts. From a cache in memory batches are cut as they are asked
for; `read_ahead` cuts them in threads or processes while the device computes.
"""

import dataclasses
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from data_pipelines.errors import UserError
from data_pipelines.motion_cache import MotionCache

if TYPE_CHECKING:
  from data_pipelines.loader import Batches
  from data_pipelines.motion_shards import ShardedCache

_ENDLESS = 1 << 40  # batches


def augment_log_mel(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Other throats, rooms and microphones for the same lips.

  Args:
    features: `(b, t, 320)` float32 log-mel, 1 unit = 20 dB, floor -2.
    rng: one draw for each sample; a fifth of the samples stay as they are.

  Returns:
    The same shape: bands shifted by up to 10 % (vocal tract length), a smooth frequency
    response and level of up to some 8 dB, and a noise floor at -80 to -54 dB a band.
  """
  b, t, size = features.shape
  bands = 80
  x = features.reshape(b, t, size // bands, bands)
  band = np.arange(bands) / (bands - 1)
  mild = (rng.random(b) < 0.8)[:, None, None, None]

  # 1. Throat: read the band axis at a stretched position.
  place = np.clip(
    np.arange(bands) * np.exp(rng.uniform(-0.1, 0.1, (b, 1))), 0, bands - 1
  )
  low = np.minimum(place.astype(int), bands - 2)
  part = (place - low)[:, None, None].astype(np.float32)
  rows = np.arange(b)[:, None]
  moved = np.moveaxis(x, 3, 1)  # [b, band, t, hop]
  warped = np.moveaxis(moved[rows, low], 1, 3) * (1 - part) + (
    np.moveaxis(moved[rows, low + 1], 1, 3) * part
  )
  # 2. Microphone: level, tilt and two slow waves over the bands.
  shapes = [np.cos(np.pi * k * band) for k in (2, 3)]
  waves = np.stack([np.ones(bands), band - 0.5, *shapes])
  curve = rng.normal(0, (0.12, 0.3, 0.1, 0.08), (b, 4)) @ waves
  # The floor stays: silence has no frequency response.
  heard = np.where(warped > -2, warped + curve[:, None, None], -2)
  # 3. Room: noise powers add up; power is 10 ** (2 * feature).
  level = rng.uniform(-2.0, -0.7, (b, 1)) + rng.normal(0, 0.3, (b, 1)) * (band - 0.5)
  level = level[:, None, None] + 0.08 * rng.standard_normal(x.shape, np.float32)
  noisy = 0.5 * np.log10(10.0 ** (2 * heard) + 10.0 ** (2 * level))
  mixed = np.where(mild, np.clip(noisy, -2.0, 2.0), x)
  return mixed.reshape(b, t, size).astype(np.float32)


@dataclasses.dataclass
class MotionWindows:
  """Endless training batches from a cache of either form.

  A batch is what `vasa_jax.motion.step` asks for: `features (b, k + w, a)`, `motion (b,
  k + w, m)`, `gaze`, `distance`, `emotion`, `mask (b, w)`, `has_previous (b,)`, all
  float32. Windows begin anywhere in a clip; a tenth begin at its first frame, and up to
  half a window may lie past its end.

  Attributes:
    cache: the clips.
    window, previous: W and K.
    batch: samples of this host.
    seed: of the order and the augmentation.
    held_out: draw from the held-out clips instead of the others.
    augment: change the voice (log-mel features only).
    host, hosts: which slice of the global batch.
    step: how many batches were given out.
  """

  cache: 'MotionCache | ShardedCache'
  window: int
  previous: int
  batch: int
  seed: int = 0
  held_out: bool = False
  augment: bool = False
  host: int = 0
  hosts: int = 1
  step: int = 0

  def __post_init__(self):
    self._clips = np.flatnonzero(self.cache.held_out == self.held_out)
    if not len(self._clips):
      which = 'held out' if self.held_out else 'left to train on'
      raise UserError(f'no clip of the cache is {which}')
    frames = self.cache.frames[self._clips]
    self._share = np.cumsum(frames) / frames.sum()

  def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
    return self

  def __next__(self) -> dict[str, np.ndarray]:
    self.step += 1
    return self.batch_at(self.step - 1)

  def batch_at(self, step: int) -> dict[str, np.ndarray]:
    """This host's part of global batch `step`."""
    rng = np.random.default_rng([self.seed, step])
    which, where, at_start = rng.random((3, self.batch * self.hosts))[
      :, self.host :: self.hosts
    ]
    rng = np.random.default_rng([self.seed, step, self.host])
    w, k = self.window, self.previous
    picks = np.minimum(np.searchsorted(self._share, which), len(self._clips) - 1)
    clips = self._clips[picks]
    latest = np.maximum(self.cache.frames[clips] - w // 2, 1)
    begin = np.where(at_start < 0.1, 0, np.floor(where * latest).astype(int))
    cut = self.cache.cut(clips, begin - k, k + w)
    features = augment_log_mel(cut.features, rng) if self.augment else cut.features
    return {
      'features': features,
      'motion': cut.motion,
      'gaze': cut.gaze,
      'distance': cut.distance,
      'emotion': cut.emotion,
      'mask': cut.inside[:, k:].astype(np.float32),
      'has_previous': cut.inside[:, 0].astype(np.float32),
    }

  def get_state(self) -> dict[str, int]:
    """Position: batches given out, the same on every host."""
    return {'step': self.step}

  def set_state(self, state: dict[str, int]) -> None:
    """Goes on from a position."""
    self.step = int(state['step'])


def read_ahead(
  windows: MotionWindows, threads: int = 2, workers: int = 0, prefetch: int = 4
) -> 'Batches':
  """The same batches by grain, cut while the device computes; resumed by a number.

  Args:
    windows: what to cut.
    threads: that cut in this process (where there are no workers) or in each worker.
    workers: processes.
    prefetch: batches held ready, in each worker.
  """
  import grain

  from data_pipelines.loader import Batches

  numbers = grain.MapDataset.range(_ENDLESS)
  return Batches(
    numbers.map(functools.partial(_batch_at, windows)), workers, threads, prefetch
  )


def _batch_at(windows: MotionWindows, step: int) -> dict[str, np.ndarray]:
  return windows.batch_at(int(step))
