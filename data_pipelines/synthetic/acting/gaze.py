"""Where the eyes look: fixations around one main gaze, saccades, looking away."""

from typing import NamedTuple

import numpy as np

from data_pipelines.synthetic.acting.curves import FPS, drift, smooth, steps
from data_pipelines.synthetic.acting.expression import Mood
from data_pipelines.synthetic.acting.manner import Manner
from data_pipelines.synthetic.acting.prosody import Prosody
from data_pipelines.synthetic.acting.rotations import eyes_towards


class Look(NamedTuple):
  """The plan of the eyes: `target` `(t, 2)` degrees in the camera's frame.

  slow: `(t, 2)` degrees, what of it the head follows. shifts: frames and sizes
  (degrees) of its saccades.
  """

  target: np.ndarray
  slow: np.ndarray
  shifts: tuple[tuple[float, float], ...]


def saccade_seconds(degrees: np.ndarray) -> np.ndarray:
  """Duration of a saccade by its size: the main sequence (Carpenter 1988)."""
  return 0.021 + 0.0022 * np.abs(degrees)


def plan_gaze(
  rng: np.random.Generator, frames: int, manner: Manner, prosody: Prosody, mood: Mood
) -> Look:
  """Draws fixations: a listener's face most of the time, elsewhere to think.

  On the face the eyes go between eyes and mouth, one to two degrees, every half a
  second or so. They leave it where a phrase is being prepared, and come back when it
  ends.
  """
  away_at = []  # intervals of looking away
  for pause in prosody.pauses:
    if rng.random() < manner.shy * _at(mood.colour.aversion, pause[0]):
      start = pause[0] + rng.uniform(-4, 6)
      away_at.append((start, max(pause[1], start + 8) + rng.uniform(0, 18)))
  for stress in prosody.stresses:
    if rng.random() < 0.05 * _at(mood.colour.aversion, stress.frame):
      away_at.append((stress.frame, stress.frame + rng.uniform(10, 30)))
  main = np.array(manner.main_gaze)
  times, points = [0.0], []
  now, point, elsewhere = 0.0, None, False
  while now < frames:
    outside = any(a <= now < b for a, b in away_at)
    if outside and not elsewhere:
      point = main + np.array(manner.aversion) * rng.uniform(0.5, 1.2, 2)
      if rng.random() < 0.3:  # now and then to the other side
        point = point * [-1, 1] + [2 * main[0], 0]
    elif outside:
      point = point + rng.normal(0.0, (2.5, 1.5))
    else:
      place = rng.choice(3, p=(0.4, 0.35, 0.25))  # one eye, the other, the mouth
      point = main + np.array([(-1.0, 0.3), (1.0, 0.3), (0.0, -1.4)][place])
      point = point + rng.normal(0.0, 0.35, 2)
    elsewhere = outside
    points.append(point)
    length = float(np.exp(rng.normal(np.log(0.55), 0.5))) * FPS
    now += min(max(length, 4.0), 60.0)
    edges = [e for a, b in away_at for e in (a, b) if times[-1] + 4 <= e < now]
    now = min([now, *edges])  # a change of mind does not wait
    times.append(now)
  points = np.array(points)
  jumps = np.linalg.norm(np.diff(points, axis=0, prepend=points[:1]), axis=1)
  target = steps(frames, times[:-1], points, saccade_seconds(jumps) * FPS)
  # where the head follows: large shifts only, later and slower than the eyes
  away = target - main
  size = np.linalg.norm(away, axis=1, keepdims=True)
  far = away * np.clip((size - 4.0) / 8.0, 0.0, 1.0)
  late = np.concatenate([np.repeat(far[:1], 3, 0), far[:-3]]) if frames > 3 else far
  slow = np.stack([smooth(late[:, k], 4.0) for k in (0, 1)], 1)
  pairs = zip(times[1:-1], jumps[1:], strict=True)
  return Look(target, slow, tuple((float(a), float(b)) for a, b in pairs))


def _at(track: np.ndarray, frame: float) -> float:
  return float(track[min(max(int(frame), 0), len(track) - 1)])


def move_eyes(rng: np.random.Generator, pose: np.ndarray, look: Look) -> np.ndarray:
  """`(t, 2)` eye angles (radians, head frame) that hold the plan while the head turns.

  With the drift of a fixation, a quarter of a degree.
  """
  eyes = eyes_towards(pose, look.target)
  frames = len(pose)
  return eyes + 0.003 * np.stack([drift(rng, frames, 0.15) for _ in range(2)], 1)
