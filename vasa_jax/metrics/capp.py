"""CAPP's score: how well the motion of a head goes with its voice (VASA-1 section 4.1).

The mean cosine, over windows of 3 s, of what the two encoders of `teachers.capp` make
of a clip's head pose and of its sound. Poses are read from the finished frames, by one
reader for all systems, the generated ones too. The paper gives neither pose
representation nor stride; the stride is 1 s here, and the nets are our own: scores may
be compared among systems that one net has scored, not with the paper's.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vasa_jax.metrics.pose import wrap
from vasa_jax.metrics.shipped import load_shipped
from vasa_jax.teachers.capp import FRAMES, Capp, CappConfig

STRIDE = 25  # frames
_BATCH = 16


@dataclasses.dataclass(frozen=True)
class CappJudge:
  """A trained net.

  Attributes:
    config, params: of it.
    name: what a table calls its numbers.
    about: which net it is, for the report.
    stride: frames from one window to the next.
  """

  config: CappConfig
  params: Any
  name: str = 'own'
  about: str = ''
  stride: int = STRIDE

  @classmethod
  def shipped(cls) -> 'CappJudge':
    """The net that comes with the package, trained on acted speech (log-mel).

    Raises:
      UserError: its file is not there.
    """
    found = load_shipped(Path(__file__).with_name('capp.safetensors'))
    about = f'{found.digest}, {found.about}'
    return cls(CappConfig(**found.config), found.params, about=about)

  def cosines(self, pose: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Of windows `(n, 75, 3)` degrees and `(n, 75, a)` features, `(n,)`."""
    encode = _encoder(self.config)
    found = []
    for start in range(0, len(pose), _BATCH):
      # always the same shape, so that the net is compiled once
      at = np.minimum(np.arange(start, start + _BATCH), len(pose) - 1)
      a, b = encode(self.params, pose[at], features[at])
      found.append(np.sum(np.asarray(a) * np.asarray(b), -1)[: len(pose) - start])
    return np.concatenate(found) if found else np.zeros(0, np.float32)

  def score(
    self, pose: np.ndarray, features: np.ndarray, found: np.ndarray | None = None
  ) -> float:
    """Mean cosine over the windows of a clip.

    Args:
      pose: `(t, 3)` yaw, pitch, roll in degrees at 25 a second.
      features: `(t, a)` of the front end that the net was trained with.
      found: `(t,)` bool, where a pose could be read; gaps are bridged by a straight
        line, windows with a pose in fewer than four fifths of their frames left out.

    Returns:
      NaN if the clip has no such window of 3 s.
    """
    t = min(len(pose), len(features))
    pose = np.asarray(pose[:t], np.float32)
    found = np.ones(t, bool) if found is None else np.asarray(found[:t], bool)
    starts = [
      i for i in range(0, t - FRAMES + 1, self.stride)
      if found[i : i + FRAMES].mean() >= 0.8
    ]  # fmt: skip
    if not starts:
      return float('nan')
    pose = bridged(pose, found)
    cut = [slice(i, i + FRAMES) for i in starts]
    values = self.cosines(
      np.stack([pose[one] for one in cut]), np.stack([features[one] for one in cut])
    )
    return float(values.mean())


_ENCODERS: dict[CappConfig, Callable] = {}


def _encoder(config: CappConfig) -> Callable:
  """The compiled net, one a config."""
  if config not in _ENCODERS:
    import jax

    net = Capp(config)
    _ENCODERS[config] = jax.jit(lambda p, a, b: net.apply({'params': p}, a, b))
  return _ENCODERS[config]


def bridged(pose: np.ndarray, found: np.ndarray) -> np.ndarray:
  """`(t, 3)` degrees without jumps of a turn, bridged where nothing was found."""
  at = np.flatnonzero(found)
  known = pose[at[0]] + np.concatenate(
    [np.zeros((1, 3)), np.cumsum(wrap(np.diff(pose[at], axis=0)), 0)]
  )
  columns = [np.interp(np.arange(len(pose)), at, known[:, k]) for k in range(3)]
  return np.stack(columns, 1).astype(np.float32)


def scaled_motion(pose: np.ndarray, factor: float) -> np.ndarray:
  """The paper's Table 4: each change from frame to frame times `factor`.

  Args:
    pose: `(..., t, 3)` degrees; the first frame stays.
  """
  return pose[..., :1, :] + factor * (pose - pose[..., :1, :])


def shifted_pairs(
  pose: np.ndarray,
  features: np.ndarray,
  shift: int,
  stride: int = STRIDE,
  most: int = 4,
) -> tuple[np.ndarray, np.ndarray]:
  """The paper's Table 3: windows of a clip whose sound begins `shift` frames later.

  The windows of motion are the same for all shifts up to `most` either way.

  Args:
    pose: `(t, 3)`; features: `(t, a)`.

  Returns:
    `(n, 75, 3)` and `(n, 75, a)`; n is 0 where the clip is too short.
  """
  starts = range(most, len(pose) - FRAMES - most + 1, stride)
  empty = np.zeros((0, FRAMES), np.float32)
  if not len(starts):
    return np.repeat(empty[..., None], 3, -1), empty[..., None]
  return (
    np.stack([pose[i : i + FRAMES] for i in starts]),
    np.stack([features[i + shift : i + shift + FRAMES] for i in starts]),
  )
