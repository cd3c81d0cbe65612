"""What a finished video says of voice and motion together: sync and CAPP.

One call for the evaluator. Our own small nets come with the package; the published
SyncNet is used where the user has its file.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable

import numpy as np

from vasa_jax.audio.features import as_float, log_mel, loudness
from vasa_jax.metrics.capp import CappJudge
from vasa_jax.metrics.faces import FaceTrack
from vasa_jax.metrics.mouth_judge import MouthJudge
from vasa_jax.metrics.sync import Published, SyncJudge, score_video


@dataclasses.dataclass(frozen=True)
class SpeechJudges:
  """Who judges.

  Attributes:
    sync: by name of the judge; the name ends the names of the scores.
    capp: the net of head motion; it hears log-mel.
  """

  sync: tuple[SyncJudge, ...] = ()
  capp: CappJudge | None = None

  @classmethod
  def shipped(cls) -> 'SpeechJudges':
    """The nets that come with the package.

    Raises:
      UserError: a file is missing or damaged.
    """
    return cls((MouthJudge.shipped(),), CappJudge.shipped())

  def with_published(self, syncnet: str) -> 'SpeechJudges':
    """And the published SyncNet, from the user's file.

    Raises:
      UserError: the file is missing or of another net.
    """
    return dataclasses.replace(self, sync=(*self.sync, Published.load(syncnet)))

  @property
  def about(self) -> str:
    """Which nets and protocol, in words; changes when other judges would score."""
    said = [
      f'sync {judge.name} ({judge.about}), offsets to {judge.shift} frames'
      for judge in self.sync
    ]
    if self.capp is not None:
      said.append(
        f'CAPP {self.capp.name} ({self.capp.about}), every {self.capp.stride} frames'
      )
    return '; '.join(said)

  def score(
    self,
    pictures: Callable[[], Iterable[np.ndarray]],
    track: FaceTrack,
    samples: np.ndarray,
  ) -> dict[str, float]:
    """`sync_confidence_NAME`, `sync_distance_NAME`, `sync_offset_NAME`, `capp_NAME`.

    Args:
      pictures: gives the video's pictures from its first frame, once for each judge.
      track: of the same pictures.
      samples: `(n,)` float, 16 kHz mono.

    Returns:
      What could be measured; a clip too short for a score lacks it.
    """
    scores = {}
    for judge in self.sync:
      found = score_video(judge, pictures(), track, samples)
      if found is not None:
        scores |= {
          f'sync_confidence_{judge.name}': found.confidence,
          f'sync_distance_{judge.name}': found.distance,
          f'sync_offset_{judge.name}': float(found.offset),
        }
    if self.capp is not None:
      sound = as_float(samples)
      heard = log_mel(sound, loudness(sound).gain)
      value = self.capp.score(track.pose, heard, track.found)
      if np.isfinite(value):
        scores[f'capp_{self.capp.name}'] = value
    return scores


@dataclasses.dataclass(frozen=True)
class SpeechFiles:
  """Where judges come from: small enough to be sent to another process.

  Attributes:
    own: take the nets that come with the package.
    syncnet: the published SyncNet's file, or None.
  """

  own: bool = True
  syncnet: str | None = None

  def load(self) -> SpeechJudges:
    """The judges, read once in a process.

    Raises:
      UserError: a file is missing or of another net.
    """
    return _load(self)


@functools.cache
def _load(files: SpeechFiles) -> SpeechJudges:
  judges = SpeechJudges.shipped() if files.own else SpeechJudges()
  return judges if files.syncnet is None else judges.with_published(files.syncnet)
