"""What a system is asked to do, and the rows of scores that come of it.

A system is a function `act(features (t, a), controls, seed) -> motion (t, 60)`. Each
trial gives rows with `clip`, `system` and numbers for `vasa_jax/metrics/table.py`.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from data_pipelines.motion_hearing import FrontEnd
from experiments.motion_judging import scores
from experiments.motion_judging.speakers import Speaker
from vasa_jax.metrics.table import Metric
from vasa_jax.types import EMOTIONS, SAMPLE_RATE, Controls

Act = Callable[[np.ndarray, Controls, int], np.ndarray]
Row = dict[str, Any]

GAZE = 20.0  # degrees to each side that are commanded
LEVEL_GAZE = 10.0  # degrees up or down beyond which few people of the corpus look
DISTANCES = (0.9, 1.3)  # ratios of the corpus
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
SHOWN = tuple(name for name in EMOTIONS if name != 'neutral')
EXCERPT = 100  # frames that an emotion or a seed is judged on
SEEDS = (1, 2, 3)

METRICS = {
  'sum': Metric('sync + naturalness', '0..2', 'higher'),
  'sync': Metric('sync', '0..1', 'higher'),
  'naturalness': Metric('naturalness', '0..1', 'higher'),
  'mouth_r': Metric('mouth opening against the truth, r', '', 'higher', 0.8),
  'mouth_best_r': Metric('the same, best of 7 shifts', '', 'higher'),
  'mouth_lag': Metric('mouth later than the truth by', 'frames', 'real'),
  'closures': Metric('p b m closed, within a frame', '%', 'higher', 90.0),
  'closures_exact': Metric('p b m closed, in the very frame', '%', 'higher'),
  'closed': Metric('frames of speech with closed lips', '%', 'real'),
  'gaze_error': Metric('main gaze, commanded within 20 degrees', 'deg', 'lower', 3.0),
  'gaze_error_level': Metric('of these, up or down by 10 at most', 'deg', 'lower'),
  'distance_error': Metric('distance, commanded .9 to 1.3', '%', 'lower', 5.0),
  'emotion_monotone': Metric(
    'emotions whose mean rises at every level', '0..1', 'higher', 1.0
  ),
  'emotion_rises': Metric('steps between levels that rise', '%', 'higher'),
  'emotion_gain': Metric('emotion shown at level 1', 'of its face', 'real'),
  'delta_p_ratio': Metric('delta P over the corpus', '', 'real', (0.8, 1.2)),
  'delta_p': Metric('delta P', 'deg/frame', 'real'),
  'head_jitter': Metric('head, second difference', 'deg/frame^2', 'real'),
  'head_spread': Metric('head, deviation in a clip', 'deg', 'real'),
  'mouth_jitter': Metric('mouth, second difference', 'mm/frame^2', 'real'),
  'mouth_spread': Metric('mouth, deviation in a clip', 'mm', 'real'),
  'brow_spread': Metric('brows, deviation in a clip', 'units', 'real'),
  'gaze_spread': Metric('gaze, deviation in a clip', 'deg', 'real'),
  'blinks': Metric('blinks', '1/min', 'real'),
  'pause_mouth': Metric('mouth opening in pauses', 'mm', 'real'),
  'silent_mouth': Metric('mouth opening in a silent recording', 'mm', 'lower'),
  'silent_flap': Metric('the same, deviation', 'mm', 'lower'),
  'seam': Metric("jump where windows meet, over the clip's median", '', 'lower', 1.0),
  'diversity': Metric('head, deviation between seeds', 'deg', 'real'),
  'mouth_agreement': Metric('mouth opening between seeds, r', '', 'higher'),
}


def own_controls(speaker: Speaker) -> Controls:
  """The conditions under which the truth was acted."""
  return Controls(
    gaze=speaker.gaze,
    distance=np.array([speaker.distance], np.float32),
    emotion=speaker.emotion.astype(np.float32),
  )


def talk_row(
  motion: np.ndarray, speaker: Speaker, window: int, spread: np.ndarray, usual: float
) -> Row:
  """How a motion goes with a speech.

  Args:
    motion: `(t, 60)`.
    window: frames of the model's windows; `spread`: `(60,)`, see `scores.seam_jumps`.
    usual: delta P of the corpus.
  """
  r, best = scores.follows(motion, speaker.motion)
  gap, t = scores.lip_gap(motion), len(motion)
  resting = scores.pauses(speaker.phones, t)
  row = {
    'mouth_r': r,
    'mouth_best_r': best.r,
    'mouth_lag': best.lag,
    'closures': _share(scores.closures(motion, speaker.phones)),
    'closures_exact': _share(scores.closures(motion, speaker.phones, 0.5)),
    'closed': _share((gap < scores.CLOSED)[~resting]),
    'pause_mouth': _mean(scores.opening(motion)[resting]),
    'seams': scores.seam_jumps(motion, window, spread).tolist(),
    **scores.quantities(motion),
  }
  return {**row, 'delta_p_ratio': row['delta_p'] / usual}


def command_row(
  act: Act, speaker: Speaker, features: np.ndarray, rng: np.random.Generator
) -> Row:
  """One main gaze and one distance, commanded together, the emotion left open."""
  asked = rng.uniform(-GAZE, GAZE, 2)
  ratio = float(rng.uniform(*DISTANCES))
  controls = Controls(
    gaze=asked.astype(np.float32), distance=np.array([ratio], np.float32)
  )
  motion = act(features, controls, 0)
  error = scores.gaze_error(motion, asked)
  level = abs(asked[1]) <= LEVEL_GAZE
  return {
    'gaze_error': error,
    'gaze_error_level': error if level else float('nan'),
    'distance_error': scores.distance_error(motion, ratio),
  }


def emotion_rows(
  act: Act,
  speakers: Sequence[Speaker],
  heard: Sequence[np.ndarray],
  levels: Sequence[float] = LEVELS,
) -> list[Row]:
  """Each emotion at levels that rise from 0, the rest neutral; one row an emotion."""
  amounts = np.zeros((len(SHOWN), len(speakers), len(levels)))
  for j, (speaker, features) in enumerate(zip(speakers, heard, strict=True)):
    neutral = None
    for i, level in itertools.product(range(len(SHOWN)), range(len(levels))):
      emotion = np.zeros(len(EMOTIONS), np.float32)
      emotion[EMOTIONS.index(SHOWN[i])] = levels[level]
      emotion[EMOTIONS.index('neutral')] = 1 - levels[level]
      if neutral is None or level:
        controls = Controls(
          gaze=speaker.gaze,
          distance=np.array([speaker.distance], np.float32),
          emotion=emotion,
        )
        motion = act(features[:EXCERPT], controls, 0)
      if neutral is None:
        neutral = motion
      if level:
        amounts[i, j, level] = scores.emotion_amount(motion, neutral, SHOWN[i])
  return [
    {
      'clip': f'emotion {name}',
      'emotion_monotone': float((np.diff(amounts[i].mean(0)) > 0).all()),
      'emotion_rises': _share(np.diff(amounts[i], axis=1) > 0),
      'emotion_gain': float(amounts[i, :, -1].mean()),
      'amounts': amounts[i].mean(0).round(3).tolist(),
    }
    for i, name in enumerate(SHOWN)
  ]


def silent_row(act: Act, ear: FrontEnd, seed: int) -> Row:
  """Four seconds of digital silence."""
  silent = np.zeros(4 * SAMPLE_RATE, np.float32)
  heard = ear.hear(silent).astype(np.float32) * ear.scale + ear.offset
  mouth = scores.opening(act(heard, Controls(), seed))
  return {'silent_mouth': float(mouth.mean()), 'silent_flap': float(mouth.std())}


def seeds_row(act: Act, speaker: Speaker, features: np.ndarray) -> Row:
  """The same speech under other seeds: heads that differ, mouths that do not."""
  made = [act(features[:EXCERPT], own_controls(speaker), seed) for seed in SEEDS]
  mouths = [scores.opening(motion) for motion in made]
  pairs = [
    scores.mouth_sync(a, b, max_lag=0).r for a, b in itertools.combinations(mouths, 2)
  ]
  return {'diversity': scores.diversity(made), 'mouth_agreement': float(np.mean(pairs))}


def _share(found: np.ndarray) -> float:
  return _mean(100.0 * np.asarray(found))


def _mean(values: np.ndarray) -> float:
  return float(np.mean(values)) if np.size(values) else float('nan')
