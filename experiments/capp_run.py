"""Training of CAPP on a motion cache: head poses and speech, no pictures.

    python -m experiments.cache_latents --speech 800 --seed 21 --npz --out cache
    python -m experiments.train --config experiments/configs/capp.py \
        --workdir runs/capp --set cache=cache

A batch holds several windows of each of its clips, some frames apart. Each is the wrong
answer to the others: same person, same voice, same sentence, wrong moment.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from data_pipelines.motion_cache import read_cache
from experiments.syncnet_run import info_nce, named
from vasa_jax.errors import UsageError, UserError
from vasa_jax.metrics.capp import CappJudge, scaled_motion, shifted_pairs
from vasa_jax.teachers.capp import FRAMES, Capp, CappConfig
from vasa_jax.training.config import RunConfig
from vasa_jax.training.job import Job

SHIFTS = (0, 1, 2, 3, 4)  # the paper's Table 3
FACTORS = (0.2, 0.5, 1.0, 1.5, 3.0)  # its Table 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class CappRun(RunConfig):
  """Settings of CAPP's training; `batch_size` counts windows.

  Attributes:
    model: the net.
    cache: file or folder that `experiments.cache_latents` wrote; its front end is what
      the net will listen with.
    shifted: windows of each clip in a batch, hard negatives of each other; 1 has none.
    shift: least and most frames from one of them to the next.
    stretched: share of windows that are further wrong answers to their own speech, with
      their changes from frame to frame times .15 to .6 or 1.6 to 4. Off in the paper,
      as far as it says.
    jitter: noise on the angles, degrees: a face reader trembles.
    augment: change the voice (log-mel features only), mirror the head.
  """

  model: CappConfig = CappConfig()
  cache: str = 'motion_cache'
  shifted: int = 4
  shift: tuple[int, int] = (2, 12)
  stretched: float = 0.0
  jitter: float = 0.1
  augment: bool = True

  def job(self) -> Job:
    """The functions of the training engine.

    Raises:
      UsageError: the settings do not fit the cache or each other.
    """
    cache = read_cache(self.cache)
    if cache.feature_dim != self.model.audio_dim:
      raise UsageError(
        f'{self.cache} has {cache.feature_dim} audio features a frame, the model wants '
        f'{self.model.audio_dim} (model.audio_dim)'
      )
    if self.batch_size % self.shifted or not 0 < self.shift[0] <= self.shift[1]:
      raise UsageError('batch_size must be a multiple of shifted, shift rise from 1 on')
    net = Capp(self.model)

    def loss(params, batch, key):
      del key

      def logits(pose, features):
        return net.apply({'params': params}, pose, features, method='logits')

      made = logits(batch['pose'], batch['features'])
      value = info_nce(made)
      if 'stretched' in batch:  # each speech must also tell its motion from these
        extra = logits(batch['stretched'], batch['features'])
        right = jnp.diagonal(made)
        wrong = jax.nn.logsumexp(jnp.concatenate([made, extra]), axis=0)
        value = (value + jnp.mean(wrong - right)) / 2
      return value, {'named': named(made)}

    init = (jnp.zeros((1, FRAMES, 3)), jnp.zeros((1, FRAMES, self.model.audio_dim)))

    def batches(state, host, hosts):
      if self.batch_size // self.shifted % hosts:
        raise UsageError(f'{self.batch_size} windows do not divide among {hosts} hosts')
      made = Windows(self, cache, self.batch_size // hosts, host)
      if state is not None:
        made.set_state(state)
      return made

    return Job(
      init=lambda key: net.init(key, *init)['params'],
      loss=loss,
      batches=batches,
      evaluate=lambda params: tables(
        CappJudge(self.model, params), held_out_clips(cache)
      ),
    )


class Windows:
  """Batches of windows of known clips; the state is a count."""

  def __init__(self, run: CappRun, cache: Any, size: int, host: int):
    self.run, self.cache, self.size, self.host, self.count = run, cache, size, host, 0
    self.reach = (run.shifted - 1) * run.shift[0]
    frames = np.asarray(cache.frames)
    fits = ~np.asarray(cache.held_out) & (frames >= FRAMES + self.reach)
    self.clips = np.flatnonzero(fits)
    if len(self.clips) < size // run.shifted:
      raise UserError(
        f'only {len(self.clips)} clips of {run.cache} are as long as {run.shifted} '
        f'windows at once, a batch wants {size // run.shifted}; make a larger cache'
      )

  def __iter__(self):
    return self

  def __next__(self) -> dict[str, np.ndarray]:
    run = self.run
    rng = np.random.default_rng((run.seed, self.count, self.host))
    self.count += 1
    people = rng.choice(self.clips, self.size // run.shifted, replace=False)
    begin = np.stack([self._starts(rng, int(self.cache.frames[i])) for i in people])
    cut = self.cache.cut(np.repeat(people, run.shifted), begin.reshape(-1), FRAMES)
    pose, features = np.degrees(cut.motion[..., :3]), cut.features
    batch = {'pose': pose, 'features': features}
    if run.stretched:
      low = rng.random(self.size) < 0.5
      factor = np.where(
        low, rng.uniform(0.15, 0.6, self.size), rng.uniform(1.6, 4, self.size)
      )
      chosen = rng.random(self.size) < run.stretched
      factor = np.where(chosen, factor, 1e-3)  # the others are told from a still head
      batch['stretched'] = scaled_motion(pose, factor[:, None, None].astype(np.float32))
    if run.augment:
      from data_pipelines.motion_windows import augment_log_mel

      batch['features'] = augment_log_mel(features, rng)
      # the mirror picture of a clip: one head for all its windows
      mirror = np.repeat(rng.random(len(people)) < 0.5, run.shifted)
      sign = np.where(mirror[:, None, None], np.float32([-1, 1, -1]), np.float32(1))
      for name in set(batch) - {'features'}:
        batch[name] = batch[name] * sign
    for name in set(batch) - {'features'}:
      noise = rng.standard_normal(batch[name].shape, np.float32)
      batch[name] = (batch[name] + run.jitter * noise).astype(np.float32)
    return batch

  def _starts(self, rng: np.random.Generator, frames: int) -> np.ndarray:
    """`(shifted,)` first frames of windows of one clip, some apart, in any order."""
    low, high = self.run.shift
    room = frames - FRAMES
    count = self.run.shifted
    high = max(low, min(high, room // max(count - 1, 1)))
    steps = rng.integers(low, high + 1, count)
    steps[0] = 0
    starts = np.cumsum(steps)
    starts += rng.integers(max(room - starts[-1], 0) + 1)
    return rng.permutation(starts)

  def get_state(self) -> int:
    return self.count

  def set_state(self, state: int) -> None:
    self.count = int(state)


def held_out_clips(cache: Any) -> list[tuple[np.ndarray, np.ndarray]]:
  """Pose `(t, 3)` in degrees and features `(t, a)` of clips that are not trained on."""
  clips = (cache.clip(i) for i in np.flatnonzero(cache.held_out))
  return [(np.degrees(clip.motion[:, :3]), clip.features) for clip in clips]


def tables(
  judge: CappJudge, clips: list[tuple[np.ndarray, np.ndarray]]
) -> dict[str, float]:
  """The paper's Tables 3 and 4: `shift_{n}` (mean of both directions), `scale_{x}`.

  Empty where no clip is long enough.
  """
  values = {name: rows.mean() for name, rows in curves(judge, clips).items()}
  if not values:
    return {}
  found = {
    f'shift_{n}': float((values[f'shift {n}'] + values[f'shift {-n}']) / 2)
    for n in SHIFTS
  }
  return found | {f'scale_{x:g}': float(values[f'scale {x:g}']) for x in FACTORS}


def curves(
  judge: CappJudge, clips: list[tuple[np.ndarray, np.ndarray]]
) -> dict[str, np.ndarray]:
  """Scores of every clip: 'shift -4' .. 'shift 4' and 'scale 0.2' .. 'scale 3'.

  Returns:
    name to `(clips,)`: mean cosine over the windows of a clip. All rows of one clip
    are of the same windows of motion.
  """
  kinds = [('shift', n) for n in sorted({*SHIFTS, *(-n for n in SHIFTS)})]
  kinds += [('scale', x) for x in FACTORS]
  found: dict[str, list[float]] = {}
  for pose, features in clips:
    for kind, value in kinds:
      shift = value if kind == 'shift' else 0
      a, b = shifted_pairs(pose, features, shift, most=max(SHIFTS))
      if len(a):
        moved = scaled_motion(a, value) if kind == 'scale' else a
        cosine = float(judge.cosines(moved, b).mean())
        found.setdefault(f'{kind} {value:g}', []).append(cosine)
  return {name: np.array(values) for name, values in found.items()}
