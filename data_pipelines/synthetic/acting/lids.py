"""Blinks and lids (numpy only)."""

import numpy as np

from data_pipelines.synthetic.acting.curves import FPS, ease
from data_pipelines.synthetic.acting.gaze import Look
from data_pipelines.synthetic.acting.manner import Manner
from data_pipelines.synthetic.acting.prosody import Prosody
from data_pipelines.synthetic.acting.visemes import UNIT

_SPREAD = 0.55  # standard deviation of the logarithm of the time between blinks


def blink(
  frames: int, start: float, depth: float, down: float, shut: float, up: float
) -> np.ndarray:
  """`(t,)` closure of a blink: quick down, a moment shut, slower up; in frames."""
  at = np.arange(frames) - start
  falling = ease(at / down)
  rising = 1.0 - ease((at - down - shut) / up) ** 0.7
  return depth * np.where(at < down + shut, falling, rising)


def blink_times(
  rng: np.random.Generator,
  frames: int,
  manner: Manner,
  prosody: Prosody,
  look: Look,
  rate: np.ndarray,
) -> list[float]:
  """Frames at which full blinks start.

  Gaps are log-normal around the speaker's own rate; a blink that is nearly due happens
  at the end of a phrase or with a large shift of gaze, if there is one.

  Args:
    rate: `(t,)` factor on the speaker's rate.
  """
  events = [p.end for p in prosody.phrases]
  events += [frame for frame, size in look.shifts if size > 7.0]
  events = np.array(sorted(e for e in events if 0 <= e < frames - 4))
  found: list[float] = []
  mean = np.log(60.0 / manner.blinks) - 0.5 * _SPREAD**2
  now = -rng.uniform(0.0, 60.0 / manner.blinks) * FPS
  while True:
    gap = np.clip(np.exp(rng.normal(mean, _SPREAD)), 0.5, 14.0)
    due = now + gap * FPS / rate[int(np.clip(now, 0, frames - 1))]
    if due >= frames:
      return found
    now = due
    if due < 0:
      continue
    near = events[np.abs(events - due) < 0.6 * FPS]
    if len(near) and rng.random() < 0.65:
      due = float(near[np.abs(near - due).argmin()] + rng.uniform(-1.0, 1.5))
    if (not found or due - found[-1] > 9) and due > -2:
      found.append(due)


def close_lids(
  rng: np.random.Generator,
  frames: int,
  manner: Manner,
  prosody: Prosody,
  look: Look,
  rate: np.ndarray,
) -> np.ndarray:
  """`(t,)` lid closure 0..1: full blinks, some double, some long, and partial ones."""
  closure = np.zeros(frames)

  def add(start, depth, long=False):
    down, up = rng.uniform(1.6, 2.6), rng.uniform(3.2, 6.0)
    shut = rng.uniform(5.0, 9.0) if long else rng.uniform(1.1, 2.0)
    shape = blink(frames, start, depth, down, shut, up)
    np.maximum(closure, shape, out=closure)

  for start in blink_times(rng, frames, manner, prosody, look, rate):
    add(start, 1.0, long=rng.random() < 0.03)
    if rng.random() < 0.04:  # a double blink
      add(start + rng.uniform(8.0, 11.0), 1.0)
  for frame, size in look.shifts:  # lids twitch with the eyes
    if size > 3.0 and rng.random() < 0.15:
      add(frame, rng.uniform(0.25, 0.6))
  return closure


def add_lids(units: np.ndarray, eyes: np.ndarray, closure: np.ndarray) -> None:
  """Lids follow the eyes up and down, and close in a blink; in place.

  A squint and a wide eye give way to a blink, so that a closed eye is closed. The units
  of looking in and out stay 0: the eyeballs turn by `eyes`, and lids hardly follow.
  """
  up, down = np.clip(eyes[:, 1], 0, None), np.clip(-eyes[:, 1], 0, None)
  for side in ('Left', 'Right'):
    units[:, UNIT['eyeLookUp' + side]] += np.clip(1.6 * up, 0, 0.7) * (1 - closure)
    units[:, UNIT['eyeLookDown' + side]] += np.clip(1.6 * down, 0, 0.7) * (1 - closure)
    for name in ('eyeWide', 'eyeSquint'):
      units[:, UNIT[name + side]] *= 1.0 - closure
    lid = units[:, UNIT['eyeBlink' + side]]
    np.maximum(lid, closure, out=lid)
