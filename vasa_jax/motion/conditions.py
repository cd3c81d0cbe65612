"""What the motion model is told: C = [X_pre, A_pre; A, g, d, e] (VASA-1 section 3.2).

Motion and distance are z-scored with the statistics of the training set, which travel
with the weights as the collection `stats` of the variables (`{'params': ..., 'stats':
...}`) and are never trained. Gaze is divided by a fixed scale; emotion scores stay as
they are.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import struct

from vasa_jax.errors import UsageError
from vasa_jax.motion.config import MotionConfig
from vasa_jax.types import NUM_UNITS, POSE_DIM, Array, Controls, Motion

Stats = dict[str, Array]
CONDITIONS = ('previous', 'audio', 'gaze', 'distance', 'emotion')


@struct.dataclass
class Keep:
  """Which conditions are given; where False the learned null stands in.

  Attributes:
    previous_motion, previous_audio, gaze, distance, emotion: `(b,)` bool.
    audio: `(b, w)` bool, one per frame, since the end of the audio may be missing.
  """

  previous_motion: Array
  previous_audio: Array
  audio: Array
  gaze: Array
  distance: Array
  emotion: Array


@struct.dataclass
class Conditions:
  """Normalised conditions of a batch of windows.

  Attributes:
    previous_motion: `(b, k, m)` z-scored X_pre.
    previous_features: `(b, k, a)` A_pre.
    features: `(b, w, a)` A.
    gaze: `(b, 2)`; distance: `(b, 1)`; emotion: `(b, e)`.
    keep: what of these is given.
  """

  previous_motion: Array
  previous_features: Array
  features: Array
  gaze: Array
  distance: Array
  emotion: Array
  keep: Keep


def nothing(config: MotionConfig, b: int = 1) -> Conditions:
  """Conditions of the right shapes, all zero and all given."""
  k, w, one = config.previous, config.window, jnp.ones(b, bool)
  return Conditions(
    previous_motion=jnp.zeros((b, k, config.motion_dim)),
    previous_features=jnp.zeros((b, k, config.audio_dim)),
    features=jnp.zeros((b, w, config.audio_dim)),
    gaze=jnp.zeros((b, 2)),
    distance=jnp.zeros((b, 1)),
    emotion=jnp.zeros((b, config.emotion_dim)),
    keep=Keep(one, one, jnp.ones((b, w), bool), one, one, one),
  )


def identity_stats(config: MotionConfig) -> Stats:
  """Statistics that change nothing, for a model without data.

  `mean`, `std` and `velocity` (spread of frame-to-frame differences) are `(m,)`;
  `distance` is (mean, std) of the log distance ratio.
  """
  return {
    'mean': jnp.zeros(config.motion_dim),
    'std': jnp.ones(config.motion_dim),
    'velocity': jnp.ones(config.motion_dim),
    'distance': jnp.array([0.0, 1.0]),
  }


def fitted_stats(config: MotionConfig, stats: Stats) -> Stats:
  """Statistics of single values as `config.normalisation` wants them.

  'group' shares one deviation (root mean square) among the values of z_pose and one
  among those of z_dyn, so that within each the large stay large; 'none' leaves motion
  as it is. `velocity` is rescaled to the new units.
  """
  stats = {name: jnp.asarray(value) for name, value in stats.items()}
  if config.normalisation == 'value':
    return stats
  mean, std = stats['mean'], stats['std']
  if config.normalisation == 'none':
    wide, mean = jnp.ones_like(std), jnp.zeros_like(mean)
  else:
    parts = std[:POSE_DIM], std[POSE_DIM:]
    wide = jnp.concatenate(
      [jnp.full_like(part, jnp.sqrt((part**2).mean())) for part in parts]
    )
  return {
    **stats,
    'mean': mean,
    'std': wide,
    'velocity': stats['velocity'] * std / wide,
  }


def normalise(motion: Array, stats: Stats) -> Array:
  """`(..., m)` motion to z-scores."""
  return (motion - stats['mean']) / stats['std']


def denormalise(z: Array, stats: Stats) -> Array:
  """`(..., m)` z-scores to motion."""
  return z * stats['std'] + stats['mean']


def to_motion(x: Array, config: MotionConfig) -> Motion:
  """`(..., m)` to the struct, on the host; anchored face units are kept in [0, 1.4]."""
  x = np.asarray(x)
  z_dyn = x[..., POSE_DIM:]
  if config.anchored:
    units = z_dyn[..., :NUM_UNITS].clip(0.0, 1.4)
    z_dyn = np.concatenate([units, z_dyn[..., NUM_UNITS:]], -1)
  return Motion(z_pose=x[..., :POSE_DIM], z_dyn=z_dyn)


def normalise_gaze(gaze: Array, config: MotionConfig) -> Array:
  """Degrees to network units."""
  return gaze / config.gaze_scale


def normalise_distance(
  distance: Array, stats: Stats, config: MotionConfig, xp: Any = jnp
) -> Array:
  """Distance ratio to a z-score: of its logarithm, or of itself.

  The statistics are of the logarithm; a ratio near the mean is `1 + log` of it.

  Args:
    xp: numpy or jax.numpy.
  """
  mean, std = stats['distance'][0], stats['distance'][1]
  if config.distance == 'ratio':
    return (distance / xp.exp(mean) - 1) / std
  return (xp.log(distance) - mean) / std


@struct.dataclass
class Wishes:
  """Controls of one window, normalised: gaze `(2,)`, distance `(1,)`, emotion `(e,)`.

  `emotion_given` is a bool scalar: without it the learned null is used.
  """

  gaze: Array
  distance: Array
  emotion: Array
  emotion_given: Array


def check_controls(controls: Controls, config: MotionConfig) -> None:
  """Raises UsageError where a control has the wrong size or an impossible value."""
  sizes = {'gaze': 2, 'distance': 1, 'emotion': config.emotion_dim}
  for name, size in sizes.items():
    value = getattr(controls, name)
    if value is None:
      continue
    value = np.asarray(value)
    if value.ndim not in (1, 2) or value.shape[-1] != size or value.shape[0] == 0:
      raise UsageError(
        f'{name} must have shape ({size},) or (frames, {size}), not {value.shape}'
      )
    if not np.isfinite(value).all():
      raise UsageError(f'{name} has a value that is not a number')
  if controls.distance is not None:
    if not (np.asarray(controls.distance) > 0).all():
      raise UsageError('distance is a ratio and must be above 0 (1 is the mean)')


def wishes(
  controls: Controls, start: int, count: int, config: MotionConfig, stats: Stats
) -> Wishes:
  """The controls of the frames `start .. start + count`, normalised.

  A window has one main gaze, one distance and one emotion, as in the paper: values that
  change over time are averaged over the window. After its last frame a control holds.
  The defaults are the paper's: gaze to the front, mean distance, null emotion.
  """

  # NumPy: a start would have to compile each of these operations on a device.
  def at_window(value: Array) -> np.ndarray:
    value = np.asarray(value, np.float32)
    if value.ndim == 1:
      return value
    rows = np.minimum(np.arange(start, start + count), value.shape[0] - 1)
    return value[rows].mean(0)

  gaze = np.zeros(2, np.float32)
  if controls.gaze is not None:
    gaze = normalise_gaze(at_window(controls.gaze), config)
  distance = np.zeros(1, np.float32)
  if controls.distance is not None:
    known = {'distance': np.asarray(stats['distance'], np.float32)}
    distance = normalise_distance(at_window(controls.distance), known, config, np)
  emotion = np.zeros(config.emotion_dim, np.float32)
  if controls.emotion is not None:
    emotion = at_window(controls.emotion)
  given = np.asarray(controls.emotion is not None)
  return Wishes(gaze, distance, emotion, given)
