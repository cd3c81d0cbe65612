"""What the choices of stage 2 are worth, one at a time, at equal steps.

    python -m experiments.cache_latents --speech 1200 --out cache --workers 2
    python -m experiments.sweep experiments/configs/ablate_motion.py \
        --workdir runs/ablate_motion --set cache=cache
    python -m experiments.report runs/ablate_motion

Runs of the `lite` network on acted speech; `base` is the paper's reading of each choice
(tokens, joint attention, x0, cosine, DDIM) at the small size. Figures to compare are
`eval/x0` (an objective's own: not comparable for flow and regression), `eval/mouth_r`,
`eval/jaw_spread` and `eval/delta_p` beside `eval/true_delta_p`. Samplers and steps need
no training of their own: they are scored by `--set model.sampling_steps=...` on a
run's weights, or here with the cost of training once more. Two CPU cores: 20 minutes a
run; one GPU: all of them in an hour.
"""

import dataclasses

from experiments.configs import motion_lite
from experiments.motion_run import MotionRun


def get_config() -> MotionRun:
  base = motion_lite.get_config()
  model = dataclasses.replace(base.model, layout='tokens', velocity_weight=0.0)
  return dataclasses.replace(base, model=model, steps=5000, minutes=None)


def sweep():
  yield 'base', {}
  # Layout of the conditions (ambiguities 4 and 5).
  yield 'channels', {'model.layout': 'channels'}
  yield 'cached', {'model.attention': 'cached'}
  yield 'channels_cached', {'model.layout': 'channels', 'model.attention': 'cached'}
  yield 'step_added', {'model.step_enters': 'added'}
  yield 'sines', {'model.positions': 'sines'}
  yield 'zero_nulls', {'model.nulls': 'zero'}
  # W and K (1).
  for window, previous in ((25, 5), (50, 25), (100, 10), (100, 25)):
    yield (
      f'w{window}_k{previous}',
      {'model.window': window, 'model.previous': previous},
    )
  # What is predicted, and along which path (3, 9).
  yield 'noise', {'model.predict': 'noise'}
  yield 'v', {'model.predict': 'v'}
  yield 'flow', {'model.objective': 'flow'}
  yield (
    'regression',
    {
      'model.objective': 'regression',
      'model.guidance_audio': 0.0,
      'model.guidance_gaze': 0.0,
    },
  )
  yield 'linear', {'model.schedule': 'linear'}
  yield 'group_scales', {'model.normalisation': 'group'}
  yield 'velocity', {'model.velocity_weight': 0.5}
  # Samplers and steps (3).
  for steps in (1, 2, 4, 10, 50):
    yield f'ddim_{steps}', {'model.sampling_steps': steps}
  for steps in (2, 4, 10):
    yield (
      f'dpm_{steps}',
      {
        'model.sampling_steps': steps,
        'model.sampler': 'dpm++',
        'model.spacing': 'logsnr',
      },
    )
  # What is dropped (20, 21).
  yield 'no_truncation', {'model.truncate': 0.0}
  yield 'dropped_apart', {'model.drop_jointly': False}
