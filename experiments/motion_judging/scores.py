"""Numbers about a motion `(t, 60)`: 6 of pose, 52 face units, 2 eye angles.

All are read from the latents themselves, in the units of the rendered head: no
estimator stands in between. Millimetres are those of a head whose face (chin to crown)
is about 23 cm.
"""

import functools
from collections.abc import Sequence

import numpy as np

from data_pipelines.motion_cache import main_gaze
from data_pipelines.synthetic import assets
from data_pipelines.synthetic.acting.emotions import EMOTION_VARIANTS
from data_pipelines.synthetic.acting.rotations import gaze_of
from data_pipelines.synthetic.acting.visemes import UNIT, frame_times
from data_pipelines.synthetic.speaking.phones import SILENCE, Phone
from vasa_jax.metrics.mouth import MouthSync, mouth_sync
from vasa_jax.metrics.pose import delta_p as angle_change
from vasa_jax.types import FPS, NUM_UNITS, POSE_DIM

UPPER_LIP, LOWER_LIP = 474, 493  # vertices on the midline that touch at rest
CLOSED = 0.05  # mm; a performed p, b or m is closed by 2.5 mm more
EARLIEST = 0.12  # seconds after its begin from which a pause must show a resting mouth
SHUT_EYE, OPEN_EYE = 0.55, 0.35  # of eyeBlink: a blink begins, and is over
_BROWS = [UNIT[n] for n in ('browInnerUp', 'browDownLeft', 'browOuterUpLeft')]


@functools.cache
def _gap_per_unit() -> np.ndarray:
  units = assets.load_assets().units
  return 100 * (units[:, UPPER_LIP, 1] - units[:, LOWER_LIP, 1])


def units_of(motion: np.ndarray) -> np.ndarray:
  """`(t, 52)` face units."""
  return motion[:, POSE_DIM : POSE_DIM + NUM_UNITS]


def lip_gap(motion: np.ndarray) -> np.ndarray:
  """`(t,)` mm between the lips on the midline; below 0 they are pressed together."""
  gap = units_of(motion).astype(np.float64) @ _gap_per_unit().astype(np.float64)
  return gap.round(6)  # or a mouth that is still would tremble by rounding errors


def opening(motion: np.ndarray) -> np.ndarray:
  """`(t,)` mm that the mouth is open, at least 0."""
  return np.maximum(lip_gap(motion), 0.0)


def follows(made: np.ndarray, truth: np.ndarray) -> tuple[float, MouthSync]:
  """Pearson's r of the two mouth openings, and the best one over shifts."""
  here = mouth_sync(opening(made), opening(truth), max_lag=0)
  return here.r, mouth_sync(opening(made), opening(truth))


def closures(
  motion: np.ndarray, phones: Sequence[Phone], frames: float = 1.5
) -> np.ndarray:
  """For each p, b and m whether the lips meet, `(n,)` bool.

  Args:
    phones: what is said when.
    frames: how far from the phone's middle the middle of a frame may be; half a frame
      is the one frame in which the performer closes them.
  """
  gap, times = lip_gap(motion), frame_times(len(motion))
  found = []
  for name, start, end in phones:
    middle = 0.5 * (start + end)
    if name not in ('p', 'b', 'm') or middle > times[-1]:
      continue
    near = np.abs(times - middle) <= frames / FPS + 1e-6
    found.append(bool((gap[near] < CLOSED).any()))
  return np.array(found, bool)


def pauses(phones: Sequence[Phone], frames: int) -> np.ndarray:
  """`(t,)` bool: nothing is said, nothing was just said, and nothing is about to be."""
  times = frame_times(frames)
  quiet = np.zeros(frames, bool)
  for name, start, end in phones:
    if name == SILENCE:
      quiet |= (times > start + EARLIEST) & (times < end - 2 * EARLIEST)
  return quiet


def gaze_error(motion: np.ndarray, asked: np.ndarray) -> float:
  """Degrees between the clip's main gaze and the direction `(2,)` that was asked."""
  found = np.radians(main_gaze(gaze(motion)))
  asked = np.radians(np.asarray(asked, float))
  cosine = np.sin(found[1]) * np.sin(asked[1]) + np.cos(found[1]) * np.cos(
    asked[1]
  ) * np.cos(found[0] - asked[0])
  return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def gaze(motion: np.ndarray) -> np.ndarray:
  """`(t, 2)` degrees in the camera's frame."""
  return gaze_of(motion[:, :POSE_DIM], motion[:, -2:])


def distance_error(motion: np.ndarray, asked: float) -> float:
  """Per cent by which the clip's mean distance is off."""
  return float(100 * abs(np.exp(motion[:, 3].mean()) / asked - 1))


def emotion_amount(motion: np.ndarray, neutral: np.ndarray, emotion: str) -> float:
  """How much of an emotion a clip shows more than a neutral one; 1 is the whole face.

  Mean units against each variant of the emotion's face; the one that fits best counts.
  """
  more = units_of(motion).mean(0) - units_of(neutral).mean(0)
  faces = EMOTION_VARIANTS[emotion]
  along, size = faces @ more, np.sqrt((faces**2).sum(1))
  best = int(np.argmax(along / size))
  return float(along[best] / size[best] ** 2)


def delta_p(motion: np.ndarray) -> float:
  """Mean change of the three head angles, degrees a frame."""
  return angle_change(np.degrees(motion[:, :3]))


def blinks(motion: np.ndarray) -> float:
  """Blinks a minute: both lids shut, and open again."""
  lids = units_of(motion)[:, [UNIT['eyeBlinkLeft'], UNIT['eyeBlinkRight']]].mean(1)
  count, shut = 0, False
  for value in lids:
    if not shut and value > SHUT_EYE:
      shut, count = True, count + 1
    elif shut and value < OPEN_EYE:
      shut = False
  return count * 60 * FPS / len(motion)


def jitter(signal: np.ndarray) -> float:
  """Mean absolute second difference of `(t, ...)`."""
  return float(np.abs(np.diff(signal, 2, axis=0)).mean()) if len(signal) > 2 else 0.0


def seam_jumps(motion: np.ndarray, window: int, spread: np.ndarray) -> np.ndarray:
  """`(n,)` jumps where windows meet, over the clip's median frame-to-frame change.

  Args:
    window: frames of a window.
    spread: `(60,)` by which the values are divided before they are put together.
  """
  change = np.sqrt((np.diff(motion / spread, axis=0) ** 2).mean(1))
  return change[window - 1 :: window] / max(float(np.median(change)), 1e-9)


def diversity(motions: Sequence[np.ndarray]) -> float:
  """Degrees by which the head differs between seeds: mean over frames and angles."""
  angles = np.degrees(np.stack([motion[:, :3] for motion in motions]))
  return float(angles.std(0).mean())


NATURAL = (
  'delta_p', 'head_jitter', 'head_spread', 'mouth_jitter', 'mouth_spread', 'blinks',
  'brow_spread', 'gaze_spread',
)  # fmt: skip


def quantities(motion: np.ndarray) -> dict[str, float]:
  """What `naturalness` compares with the corpus: how much and how fast things move.

  Degrees and mm (a frame for `delta_p`, a frame squared for jitter), standard
  deviations for spread, blinks a minute.
  """
  mouth, angles = opening(motion), np.degrees(motion[:, :3])
  return {
    'delta_p': delta_p(motion),
    'head_jitter': jitter(angles),
    'head_spread': float(angles.std(0).mean()),
    'mouth_jitter': jitter(mouth),
    'mouth_spread': float(mouth.std()),
    'blinks': blinks(motion),
    'brow_spread': float(units_of(motion)[:, _BROWS].std(0).mean()),
    'gaze_spread': float(gaze(motion).std(0).mean()),
  }
