"""Where a long take is cut into clips: in the quietest moment that is late enough."""

import numpy as np

from data_pipelines.schema import SAMPLES_PER_FRAME


def loudness(sound: np.ndarray) -> np.ndarray:
  """`(t,)` root mean square of each frame's 640 samples, 0..1."""
  frames = sound.reshape(-1, SAMPLES_PER_FRAME).astype(np.float64) / 32768
  return np.sqrt((frames**2).mean(1))


def cut_at(sound: np.ndarray, least: int) -> int:
  """How many frames of a take go into its next clip.

  A word is rarely longer than half a second and pauses come every few: the quietest
  frame of the last fifth ends the clip, so that most clips begin and end in a pause.

  Args:
    sound: `(640 t,)` int16 of the longest possible clip.
    least: frames that must remain for a clip.

  Returns:
    4/5 t to t frames; t where all is silent.
  """
  level = loudness(sound)
  count = len(level)
  first = max(least, count - count // 5)
  if first >= count or level.max() == 0:
    return count
  # Equal minima: the last one, so that clips are long.
  late = level[first:][::-1]
  return count - int(np.argmin(late))
