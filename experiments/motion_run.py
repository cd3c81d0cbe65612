"""Stage 2: audio to motion, from a cache of motion records."""

import dataclasses
import functools
from typing import Any

import jax
import numpy as np

from data_pipelines.motion_cache import MotionCache, read_cache
from data_pipelines.motion_hearing import LOG_MEL
from data_pipelines.motion_windows import MotionWindows, read_ahead
from data_pipelines.synthetic.acting.visemes import UNIT
from vasa_jax.errors import UsageError, UserError
from vasa_jax.motion.config import MotionConfig, lite
from vasa_jax.motion.generate import MotionGenerator
from vasa_jax.motion.step import init_params, make_loss
from vasa_jax.training.checkpoint import check_same_model, restore_params
from vasa_jax.training.config import RunConfig
from vasa_jax.training.job import Job
from vasa_jax.types import POSE_DIM, Controls, Motion

JAW = POSE_DIM + UNIT['jawOpen']


@functools.lru_cache(maxsize=2)
def _read(path: str) -> MotionCache:
  from data_pipelines.errors import UserError as DataError

  try:
    return read_cache(path)
  except DataError as error:
    raise UserError(str(error)) from error


def _statistics(cache) -> dict[str, np.ndarray]:
  from data_pipelines.errors import UserError as DataError

  try:
    return cache.moments().statistics()
  except DataError as error:
    raise UserError(str(error)) from error


@dataclasses.dataclass(frozen=True, kw_only=True)
class MotionRun(RunConfig):
  """Settings of a stage 2 run.

  Attributes:
    model: the transformer, its conditions and its sampler.
    cache: file or folder that `experiments.cache_latents` wrote.
    workers, threads: that cut batches ahead of the device from a cache of ArrayRecord;
      0 workers are none, the threads are then this process's. A cache in memory is cut
      as it is asked for.
    init_from: workdir of another run whose parameters are the start, and whose
      statistics normalise motion; '' starts afresh.
    augment: change the voice in every batch (log-mel features only).
    held_out_windows: windows of the held-out clips that the evaluation scores.
    held_out_clips: held-out clips for which it generates motion.
  """

  model: MotionConfig = dataclasses.field(default_factory=lite)
  cache: str = 'motion_cache'
  workers: int = 0
  threads: int = 4
  init_from: str = ''
  augment: bool = True
  held_out_windows: int = 64
  held_out_clips: int = 8

  def job(self) -> Job:
    """The five functions of the training engine.

    Raises:
      UsageError: the cache does not fit the model.
      UserError: there is no cache, or it is damaged.
    """
    cache = _read(self.cache)
    self._check(cache)
    stats = _statistics(cache)
    loss = make_loss(self.model)
    return Job(
      init=functools.partial(self._init, stats),
      loss=loss,
      batches=functools.partial(self._batches, cache),
      preview=lambda params: {'mouth': preview(self, cache, params)},
      evaluate=functools.partial(evaluate, self, cache, jax.jit(loss)),
    )

  def _init(self, stats, key) -> Any:
    made = init_params(self.model, key, stats)
    if not self.init_from:
      return made
    params = restore_params(self.init_from)
    check_same_model(self.init_from, params, made)
    return params

  def _check(self, cache: MotionCache) -> None:
    heard, moved = cache.feature_dim, cache.motion_dim
    model = self.model
    if cache.front_end != model.hears:
      raise UsageError(
        f'{self.cache} was heard with {cache.front_end}, the model hears with '
        f'{model.hears} (model.hears): make another cache (cache_latents --features)'
      )
    if (heard, moved) != (model.audio_dim, model.motion_dim):
      raise UsageError(
        f'{self.cache} has {heard} audio features and {moved} motion values a frame; '
        f'the model wants {model.audio_dim} (model.audio_dim) and {model.motion_dim} '
        '(6 + model.dynamics_dim)'
      )
    if self.augment and cache.front_end != LOG_MEL:
      raise UsageError('augment works on log-mel features only; set augment=false')

  def _batches(self, cache: MotionCache, state: Any, host: int, hosts: int) -> Any:
    if self.batch_size % hosts:
      raise UsageError(
        f'batch_size={self.batch_size} does not divide among {hosts} hosts'
      )
    windows = MotionWindows(
      cache,
      self.model.window,
      self.model.previous,
      self.batch_size // hosts,
      seed=self.seed,
      augment=self.augment,
      host=host,
      hosts=hosts,
    )
    if not isinstance(cache, MotionCache):
      windows = read_ahead(windows, self.threads, self.workers)
    if state is not None:
      windows.set_state(state)
    return windows


@dataclasses.dataclass(frozen=True)
class Heard:
  """A held-out clip: true and generated motion `(t, m)`, loudness `(t,)`."""

  name: str
  truth: np.ndarray
  made: np.ndarray
  energy: np.ndarray


def energy_of(features: np.ndarray) -> np.ndarray:
  """`(t,)` loudness of log-mel features `(t, 320)`: mean over their bands."""
  return features.mean(1)


def joined(motion: Motion) -> np.ndarray:
  """`(t, m)` from the struct."""
  return np.concatenate([motion.z_pose, motion.z_dyn], -1)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
  """Pearson's r of two `(t,)` signals; 0 where one of them does not move."""
  a, b = a - a.mean(), b - b.mean()
  size = np.sqrt((a**2).sum() * (b**2).sum())
  return float((a * b).sum() / size) if size > 1e-9 else 0.0


def delta_p(motion: np.ndarray) -> float:
  """Delta P of the paper: mean change of the three head angles, degrees a frame."""
  return float(np.rad2deg(np.abs(np.diff(motion[:, :3], axis=0)).mean()))


def listen(run: MotionRun, cache: MotionCache, params: Any, count: int) -> list[Heard]:
  """Generates motion for the first held-out clips, under their own controls."""
  generator = MotionGenerator(run.model, params)
  heard = []
  for i in np.flatnonzero(cache.held_out)[:count]:
    clip = cache.clip(i)
    controls = Controls(
      gaze=clip.gaze, distance=np.array([clip.distance]), emotion=clip.emotion
    )
    made = generator.generate(clip.features, controls, int(i))
    heard.append(Heard(clip.name, clip.motion, joined(made), energy_of(clip.features)))
  return heard


def evaluate(
  run: MotionRun, cache: MotionCache, loss: Any, params: Any
) -> dict[str, float]:
  """Figures on held-out clips.

  `loss` and its parts on fixed windows under fixed noise; of generated motion:
  `mouth_r` (jawOpen against the truth), `energy_r` (jawOpen against the loudness;
  `true_energy_r` is the truth's), `jaw_spread` (deviation of jawOpen over the truth's),
  `delta_p` and `true_delta_p` in degrees a frame. Nothing where no clip is held out.
  """
  if not cache.held_out.any():
    return {}
  model = run.model
  windows = MotionWindows(
    cache, model.window, model.previous, run.held_out_windows, seed=1, held_out=True
  )
  value, metrics = loss(params, next(windows), jax.random.key(1))
  figures = {'loss': float(value), **{k: float(v) for k, v in metrics.items()}}
  if model.anchored:
    heard = listen(run, cache, params, run.held_out_clips)

    def mean(score) -> float:
      return float(np.mean([score(one) for one in heard]))

    figures |= {
      'mouth_r': mean(lambda h: correlation(h.made[:, JAW], h.truth[:, JAW])),
      'jaw_spread': mean(lambda h: h.made[:, JAW].std())
      / max(mean(lambda h: h.truth[:, JAW].std()), 1e-6),
      'delta_p': mean(lambda h: delta_p(h.made)),
      'true_delta_p': mean(lambda h: delta_p(h.truth)),
    }
    if cache.front_end == LOG_MEL:  # other features do not tell how loud it is
      figures |= {
        'energy_r': mean(lambda h: correlation(h.made[:, JAW], h.energy)),
        'true_energy_r': mean(lambda h: correlation(h.truth[:, JAW], h.energy)),
      }
  return figures


def plot(
  rows: list[list[np.ndarray]], width: int = 640, height: int = 96
) -> np.ndarray:
  """Curves as a picture `(h, w, 3)` uint8: one strip a row; blue first, then orange.

  Args:
    rows: each a list of `(t,)` signals that share a scale.
  """
  colours = np.array([[40, 90, 200], [230, 120, 20], [120, 120, 120]])
  strips = []
  for signals in rows:
    low = min(s.min() for s in signals)
    high = max(max(s.max() for s in signals), low + 1e-6)
    strip = np.full((height, width, 3), 255)
    strip[-1] = 200
    for signal, colour in zip(signals, colours, strict=False):
      x = np.arange(width)
      y = np.interp(x / (width - 1) * (len(signal) - 1), np.arange(len(signal)), signal)
      y = (height - 4) * (1 - (y - low) / (high - low)) + 1
      before = np.concatenate([y[:1], y[:-1]])
      top, bottom = np.minimum(y, before), np.maximum(y, before) + 1.5
      level = np.arange(height)[:, None]
      strip[(level >= np.floor(top)) & (level <= bottom)] = colour
    strips.append(strip)
  return np.concatenate(strips).astype(np.uint8)


def preview(run: MotionRun, cache: MotionCache, params: Any) -> np.ndarray:
  """jawOpen (or latent 0) and yaw of two held-out clips: made blue, true orange."""
  column = JAW if run.model.anchored else POSE_DIM
  rows = []
  for heard in listen(run, cache, params, 2):
    for i in (column, 0):
      rows.append([heard.made[:, i], heard.truth[:, i]])
  return plot(rows) if rows else np.full((96, 640, 3), 255, np.uint8)
