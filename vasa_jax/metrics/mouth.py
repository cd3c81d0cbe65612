"""Does the mouth follow the voice, does it rest in silence, do the eyes blink?

Read from the 468-point mesh of each frame (`(t, 468, 3)`, any one unit of length) and
from the sound. Distances are taken in 3-D and divided by a length of the same face, so
turning the head or coming nearer does not open a mouth. This is a check with plain
means (a correlation), not SyncNet: it says nothing of which sound is spoken.
"""

from typing import NamedTuple

import numpy as np

from vasa_jax.metrics.openings import eye_opening as eye_opening
from vasa_jax.metrics.openings import mouth_opening as mouth_opening
from vasa_jax.types import FPS, SAMPLES_PER_FRAME

BLINK_BELOW, BLINK_OVER = 0.76, 0.86  # shares of the usual opening of the eyes
MAX_LAG = 3  # frames: 120 ms, about what a viewer forgives


class MouthSync(NamedTuple):
  """How the opening of the mouth goes with the loudness of the voice.

  Attributes:
    r: the best Pearson correlation over shifts of up to `MAX_LAG` frames.
    lag: that shift in frames; > 0: the mouth is later than the sound.
    speech: median opening while the voice sounds (`mouth_opening`'s unit).
    silence: median opening in pauses; NaN if the clip has none.
  """

  r: float
  lag: int
  speech: float
  silence: float


def speech_envelope(audio: np.ndarray, frames: int) -> np.ndarray:
  """Loudness per picture.

  Args:
    audio: `(n,)` 16 kHz mono, int16 or float; padded with silence or cut to fit.
    frames: number of pictures at 25 a second.

  Returns:
    `(frames,)` in about [0, 1]: root of the root mean square over 80 ms around the
    middle of each picture, against the clip's 95th percentile. The root compresses
    loudness: a mouth opens far less than ten times for a ten times louder voice.
  """
  audio = np.asarray(audio, np.float64).ravel()
  wanted = frames * SAMPLES_PER_FRAME
  audio = np.pad(audio[:wanted], (0, max(0, wanted - len(audio))))
  energy = np.square(audio).reshape(frames, 2, -1).mean(-1).ravel()  # 20 ms each
  energy = np.pad(energy, 1, mode='edge')
  # 80 ms = two own halves and one on either side.
  level = np.sqrt(sum(energy[i : i + 2 * frames : 2] for i in range(4)) / 4)
  top = np.percentile(level, 95)
  return np.sqrt(level / top) if top > 0 else level


def mouth_sync(
  opening: np.ndarray,
  envelope: np.ndarray,
  found: np.ndarray | None = None,
  max_lag: int = MAX_LAG,
) -> MouthSync:
  """Correlates mouth and voice; see `MouthSync`.

  Args:
    opening: `(t,)` of `mouth_opening`.
    envelope: `(t,)` of `speech_envelope`.
    found: `(t,)` bool, frames with a face.
    max_lag: shifts to try, in frames either way.

  Raises:
    ValueError: the two differ in length.
  """
  opening, envelope = np.asarray(opening, np.float64), np.asarray(envelope, np.float64)
  if opening.shape != envelope.shape:
    raise ValueError(f'{len(opening)} openings for {len(envelope)} loudness values')
  found = np.ones(len(opening), bool) if found is None else np.asarray(found, bool)
  best, best_lag = float('nan'), 0
  # Small shifts first, so that a tie is given to the smaller one.
  for lag in sorted(range(-max_lag, max_lag + 1), key=abs):
    mouth, voice = _shifted(opening, envelope, lag)
    seen, _ = _shifted(found, envelope, lag)
    r = _pearson(mouth[seen], voice[seen])
    if np.isnan(best) or r > best:
      best, best_lag = r, lag
  loud = envelope > 0.4  # -16 dB under the clip's loud parts
  quiet = envelope < 0.25  # -24 dB
  # A lip leads and trails its sound by about a tenth of a second.
  near = np.convolve(~quiet, np.ones(7), mode='same') > 0
  return MouthSync(
    best, best_lag, _median(opening[found & loud]), _median(opening[found & ~near])
  )


def blinks_per_minute(opening: np.ndarray, found: np.ndarray | None = None) -> float:
  """Counts closures of the eyes.

  Args:
    opening: `(t,)` of `eye_opening`.
    found: `(t,)` bool; frames without a face count neither as time nor as a blink.

  Returns:
    Blinks a minute; NaN without a face. A blink starts below 76 % of the usual opening,
    ends above 86 %, and lasts at most half a second (longer is a closed eye). The face
    mesh shrinks from closing an eye: 22 rendered heads with fully closed lids read 53
    to 76 % of their open state (median 64 %), open eyes stay above 93 %.
  """
  opening = np.asarray(opening, np.float64)
  if found is not None:
    opening = opening[np.asarray(found, bool)]
  if not len(opening):
    return float('nan')
  return len(eye_closures(opening)) * 60 * FPS / len(opening)


def eye_closures(opening: np.ndarray) -> list[tuple[int, int]]:
  """Blinks of `(t,)` openings of an eye, each as its first frame and the one after it.

  The rule is that of `blinks_per_minute`.
  """
  opening = np.asarray(opening, np.float64)
  # The usual opening moves with gaze and mood: a running median over 4 s.
  half = 2 * FPS
  usual = np.array(
    [np.median(opening[max(0, i - half) : i + half + 1]) for i in range(len(opening))]
  )
  ratio = opening / np.maximum(usual, 1e-6)
  found, start = [], None
  for i, value in enumerate(np.append(ratio, 1.0)):
    if start is None and value < BLINK_BELOW:
      start = i
    elif start is not None and value > BLINK_OVER:
      if i - start <= FPS // 2:
        found.append((start, i))
      start = None
  return found


def _shifted(mouth: np.ndarray, voice: np.ndarray, lag: int):
  """The overlapping parts when the mouth is taken `lag` frames later."""
  n = len(mouth)
  if lag >= 0:
    return mouth[lag:], voice[: max(n - lag, 0)]
  return mouth[: max(n + lag, 0)], voice[-lag:]


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
  if len(a) < 3:
    return float('nan')
  a, b = a - a.mean(), b - b.mean()
  norm = np.sqrt(np.sum(a * a) * np.sum(b * b))
  # A mouth that never moves follows nothing.
  return float(np.sum(a * b) / norm) if norm > 1e-12 else 0.0


def _median(values: np.ndarray) -> float:
  return float(np.median(values)) if len(values) else float('nan')
