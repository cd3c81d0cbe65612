"""What a motion model must beat, behind the interface of `MotionGenerator`.

    mean       the mean motion of the training set, still
    nearest    motion of the training speech that sounds most alike
    regressor  the same network without noise   `MotionConfig(objective='regression')`
    flow       the same network on straight paths   `MotionConfig(objective='flow')`

The last two are trained, so they are `MotionGenerator`s of another config. All answer
`generate(features (t, a), controls, key) -> Motion`.
"""

import numpy as np

from vasa_jax.errors import UserError
from vasa_jax.motion.conditions import Stats, to_motion
from vasa_jax.motion.config import MotionConfig
from vasa_jax.types import Array, Controls, Motion

_DISTANCE = 3  # column of z_pose


class MeanMotion:
  """Does not move; the head is as far away as asked.

  Args:
    config: of the model that it is compared with.
    stats: of the training set, see `conditions.identity_stats`.
  """

  def __init__(self, config: MotionConfig, stats: Stats):
    self.config = config
    self.mean = np.asarray(stats['mean'], np.float32)

  def generate(
    self,
    features: np.ndarray,
    controls: Controls | None = None,
    key: Array | int = 0,
    **settings: object,
  ) -> Motion:
    """`(t, m)` copies of the mean; key and the sampler's settings change nothing."""
    del key, settings
    motion = np.repeat(self.mean[None], len(features), 0)
    return _obeying(motion, controls, self.config)


class NearestMotion:
  """Motion of the training speech that sounds most alike, piece by piece.

  Speech is cut into pieces of `span` frames. Each takes the motion of the training
  frames whose features, seen through their first principal components, differ least
  from its own over the piece and half of it to either side. Pieces are joined by a
  cross-fade. Nothing but the audio is looked at; gaze and emotion are not obeyed.

  Args:
    config: of the model that it is compared with.
    features: `(n, a)` float32, clips of the training set one after another.
    motion: `(n, m)`, theirs.
    ends: `(c,)`, where each clip ends.
    span: frames of a piece.
    components: principal components that are compared.
  """

  def __init__(
    self,
    config: MotionConfig,
    features: np.ndarray,
    motion: np.ndarray,
    ends: np.ndarray,
    span: int = 10,
    components: int = 24,
  ):
    reach = 2 * span
    starts = np.concatenate([[0], ends[:-1]])
    begins = [np.arange(a, b - reach + 1) for a, b in zip(starts, ends, strict=True)]
    self.begins = np.concatenate([np.zeros(0, int), *begins])
    if not len(self.begins):
      raise UserError(f'no clip of {reach} frames to take motion from')
    self.config, self.span, self.motion = config, span, motion
    self.mean = features.mean(0, dtype=np.float64).astype(np.float32)
    some = features[:: max(1, len(features) // 20_000)] - self.mean
    _, vectors = np.linalg.eigh(some.T @ some)
    self.basis = vectors[:, ::-1][:, :components].astype(np.float32)
    self.heard = (features - self.mean) @ self.basis
    self.power = (self.heard**2).sum(1)

  def nearest(self, piece: np.ndarray) -> int:
    """First training frame of the best match of `(2 span, components)`."""
    # |a - b|^2 = |a|^2 - 2 a b + |b|^2, and |a|^2 is the same for all.
    apart = self.power[None] - 2 * piece @ self.heard.T
    total = np.zeros(len(self.begins), np.float32)
    for i, row in enumerate(apart):
      total += row[self.begins + i]
    return int(self.begins[total.argmin()])

  def generate(
    self,
    features: np.ndarray,
    controls: Controls | None = None,
    key: Array | int = 0,
    **settings: object,
  ) -> Motion:
    """Motion of `features (t, a)`; the same for every key."""
    del key, settings
    count, span, half = len(features), self.span, self.span // 2
    if not count:
      raise UserError('the audio is empty: there is nothing to say')
    heard = (np.asarray(features, np.float32) - self.mean) @ self.basis
    pieces = -(-count // span)
    heard = np.pad(heard, ((half, pieces * span - count + span), (0, 0)), 'edge')
    # A piece and half of it to either side fade in and out in a triangle's flanks.
    fade = np.minimum(np.arange(2 * span) + 0.5, 2 * span - 0.5 - np.arange(2 * span))
    fade = np.clip((fade - half / 2) / half, 1e-3, 1)[:, None]
    made = np.zeros((len(heard), self.motion.shape[1]))
    weight = np.zeros((len(heard), 1))
    for i in range(pieces):
      rows = slice(i * span, (i + 2) * span)
      first = self.nearest(heard[rows])
      made[rows] += fade * self.motion[first : first + 2 * span]
      weight[rows] += fade
    motion = (made / np.maximum(weight, 1e-6))[half : half + count]
    return _obeying(motion.astype(np.float32), controls, self.config)


def _obeying(
  motion: np.ndarray, controls: Controls | None, config: MotionConfig
) -> Motion:
  """`(t, m)` as a struct, moved to the distance that was asked for."""
  if controls is not None and controls.distance is not None:
    wanted = np.log(np.atleast_2d(np.asarray(controls.distance, np.float32)))
    rows = np.minimum(np.arange(len(motion)), len(wanted) - 1)
    motion[:, _DISTANCE] += wanted[rows, 0] - motion[:, _DISTANCE].mean()
  made = to_motion(motion, config)
  return Motion(np.asarray(made.z_pose), np.asarray(made.z_dyn))
