"""Table 5 of the paper in miniature: guidance scales and sampling steps.

    python -m experiments.fetch_weights i3d
    python -m experiments.sweep experiments/configs/ablate_guidance.py \
        --workdir runs/guidance --jobs 2

Seven rows, three seeds, on the motion model of `weights` (`--set weights=DIR`, default:
the embedded ones) and people of the corpus's test split; beside them the truth and
another take of it. `runs/guidance/table.md` and `table.html`. An interrupted run goes
on. Time and figures: docs/reproduction.md.

What each column is, and why the numbers cannot be held against the paper's, is said
there as well.
"""

from experiments.guidance.row import GuidanceRun


def get_config() -> GuidanceRun:
  return GuidanceRun()


def sweep():
  yield 'real', {'shows': 'real'}
  yield 'another_take', {'shows': 'another take'}
  # lambda_A, lambda_g, steps: the rows of the paper, in its order.
  for audio, gaze, steps in (
    (0.0, 0.0, 50),
    (0.0, 1.0, 50),
    (0.0, 2.0, 50),
    (0.5, 1.0, 50),
    (1.0, 1.0, 50),
    (2.0, 1.0, 50),
    (0.5, 1.0, 10),
  ):
    yield (
      f'audio{audio:g}_gaze{gaze:g}_steps{steps}',
      {'guidance_audio': audio, 'guidance_gaze': gaze, 'sampling_steps': steps},
    )
