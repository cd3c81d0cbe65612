"""Our own small net as a judge of synchronisation, by SyncNet's protocol.

Its S_C and S_D are distances between its own unit vectors (0 to 2) and must not be put
beside the literature's, which are the published net's. What both can be asked: which of
two systems is better, and by how many frames a video is off.
"""

import dataclasses
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vasa_jax.audio.features import as_float, log_mel, loudness
from vasa_jax.metrics.face_crop import FaceBoxes
from vasa_jax.metrics.mouth_crop import crop_mouth, mouth_squares
from vasa_jax.metrics.shipped import load_shipped
from vasa_jax.metrics.sync import SHIFT, SyncScore, score_sync
from vasa_jax.teachers.lipsync import SIDE, WINDOW, LipSync, LipSyncConfig

_CHUNK = 64  # windows at a time


@dataclasses.dataclass(frozen=True)
class MouthJudge:
  """A trained `LipSync`.

  Attributes:
    config, params: of the net.
    shift: frames either way.
    name: what a table calls its numbers.
    about: which net it is, for the report.
    shortest, smallest: frames of a track, px of a face, below which nothing is said.
  """

  config: LipSyncConfig
  params: Any
  shift: int = SHIFT
  name: str = 'own'
  about: str = ''
  shortest: int = 50
  smallest: int = 40

  @classmethod
  def shipped(cls) -> 'MouthJudge':
    """The net that comes with the package, trained on rendered talk.

    Raises:
      UserError: its file is not there.
    """
    found = load_shipped(Path(__file__).with_name('lipsync.safetensors'))
    about = f'{found.digest}, {found.about}'
    return cls(LipSyncConfig(**found.config), found.params, about=about)

  def crops(self, pictures: Any, boxes: FaceBoxes) -> np.ndarray:
    """`(t, 48, 48)` uint8 mouths of the track's pictures."""
    squares = mouth_squares(boxes)
    made = [crop_mouth(p, s, SIDE) for p, s in zip(pictures, squares, strict=False)]
    return np.stack(made)

  @cached_property
  def _compiled(self):
    import jax

    net = LipSync(self.config)
    return (
      jax.jit(lambda p, x: net.apply({'params': p}, x, method='lip')[0]),
      jax.jit(lambda p, x: net.apply({'params': p}, x, method='sound')[0]),
    )

  def vectors(
    self, mouths: np.ndarray, samples: np.ndarray
  ) -> tuple[np.ndarray, np.ndarray]:
    """Lips and sound `(t - 4, d)` of mouths `(t, 48, 48)` and `(640 t,)` samples."""
    samples = as_float(samples)
    features = log_mel(samples, loudness(samples).gain)
    t = min(len(mouths), len(features))
    see, hear = self._compiled
    lips, sound = [], []
    for start in range(0, t - WINDOW + 1, _CHUNK):
      # always the same shape, so that the net is compiled once
      at = np.minimum(np.arange(start, start + _CHUNK + WINDOW - 1), t - 1)
      keep = min(_CHUNK, t - WINDOW + 1 - start)
      lips.append(np.asarray(see(self.params, mouths[at][None]))[:keep])
      sound.append(np.asarray(hear(self.params, features[at][None]))[:keep])
    return np.concatenate(lips), np.concatenate(sound)

  def score(self, mouths: np.ndarray, samples: np.ndarray) -> SyncScore:
    return score_sync(*self.vectors(mouths, samples), self.shift)
