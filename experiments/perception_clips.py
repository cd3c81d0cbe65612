"""Talking people who turn their heads far, as ordinary MP4 files with the exact truth.

    python -m experiments.perception_clips --out DIR --clips 20 --size 384

What reads faces is judged on these (`experiments.judge_perception`). People, voices and
texts are those of the test split, at numbers that no corpus draws. The performance is
the corpus's own, but head, eyes, distance and shift also wander widely: small motions
would make any reader's errors look large, and large ones are what it must survive.
Each clip is `NAME.mp4` (H.264, AAC) and `NAME.npz` with the labels of `schema.Clip`.
"""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.command import run_command

FIRST_SEED = (2 << 40) + (11 << 24)  # people of the test split that nothing else draws
# Radians of the added wandering (one standard deviation) and how far it may all go.
SPREAD = np.array([0.24, 0.12, 0.09])
FARTHEST = np.array([0.7, 0.36, 0.3])
EYE_SPREAD = np.array([0.14, 0.09])


def widen(acted, rng: np.random.Generator):
  """The same `Performance` with wide, slow turns of head and eyes on top."""
  from data_pipelines.synthetic.acting.curves import drift
  from data_pipelines.synthetic.acting.lids import add_lids
  from data_pipelines.synthetic.acting.rotations import MAX_EYE, gaze_of

  frames = len(acted.pose)

  def wander(spread, seconds):
    return np.stack([s * drift(rng, frames, seconds) for s in spread], 1)

  pose = acted.pose.astype(np.float64)
  turn = pose[:, :3] + rng.normal(0, SPREAD / 2) + wander(SPREAD, 0.7)
  turn = FARTHEST * np.tanh(turn / FARTHEST)
  added = turn - pose[:, :3]
  pose[:, :3] = turn
  pose[:, 3] = np.clip(pose[:, 3] + wander([0.06], 1.0)[:, 0], -0.1, 0.35)
  pose[:, 4:] = np.clip(pose[:, 4:] + wander([0.02, 0.02], 1.0), -0.1, 0.1)
  moved = wander(EYE_SPREAD, 0.35)
  eyes = np.clip(acted.eyes + moved, -MAX_EYE, MAX_EYE)
  units = acted.units.copy()
  add_lids(units, eyes - acted.eyes, acted.units[:, _unit('eyeBlinkLeft')])
  body = acted.body + 0.5 * added * [1, 0.3, 0.3]
  return dataclasses.replace(
    acted,
    units=units.clip(0, 1).astype(np.float32),
    pose=pose.astype(np.float32),
    eyes=eyes.astype(np.float32),
    gaze=gaze_of(pose, eyes),
    distance=np.exp(pose[:, 3]).astype(np.float32),
    body=body.astype(np.float32),
  )


def _unit(name: str) -> int:
  from data_pipelines.synthetic.acting.visemes import UNIT

  return UNIT[name]


class Act(NamedTuple):
  """What a person says (`speaking.speech.Speech`), and does (`Performance`)."""

  said: Any
  acted: Any


def act(
  seed: int, rng: np.random.Generator, split: str, frames: int, wide: bool = True
) -> Act:
  """Person `seed` talks for up to `frames` frames with a text and voice of the split.

  Args:
    seed: of the person.
    rng: draws what is said, and how.
    split: of texts and voices.
    frames: at 25 a second.
    wide: with wide, slow turns of head and eyes.
  """
  from data_pipelines.schema import SAMPLES_PER_FRAME
  from data_pipelines.synthetic import clips
  from data_pipelines.synthetic.acting.performance import perform
  from data_pipelines.synthetic.people.traits import sample_traits
  from data_pipelines.synthetic.recipe import Recipe
  from data_pipelines.synthetic.speaking import speech

  seconds = frames / 25
  recipe = Recipe(
    clips=1, size=256, split=split, voices=('formant',), listening=0.0,
    seconds=(seconds, seconds + 2),
  )  # fmt: skip
  said = clips.say_something(rng, recipe, sample_traits(seed).male)
  said = speech.trim(said, frames * SAMPLES_PER_FRAME)
  acted = perform(said, rng)
  return Act(said, widen(acted, rng) if wide else acted)


def render_clip(seed: int, size: int, frames: int, wide: bool = True):
  """`schema.Clip` of person `seed` who talks for up to `frames` frames."""
  from data_pipelines.synthetic import clips

  said, acted = act(seed, np.random.default_rng((seed, 1)), 'test', frames, wide)
  shots = clips.render(seed, acted, size, 1)
  return clips.to_clip(f'seed-{seed}', seed, shots, said)


def true_opening(units: np.ndarray, shape: np.ndarray) -> np.ndarray:
  """`(t,)` opening of the mouth of the head's own geometry, from any side the same.

  Gap of the inner lips over the width between the outer eye corners, upwards only.

  Args:
    units: `(t, 52)` face units.
    shape: `(64,)` head template coefficients.
  """
  from vasa_jax.face.template import load_template
  from vasa_jax.metrics.openings import INNER_LIPS, OUTER_CORNERS

  template = load_template()
  index, weight = template.landmark_index, template.landmark_weight[..., None]
  rest = (template.vertices(shape)[index] * weight).sum(1)
  moves = (template.units[:, index] * weight).sum(2)
  at = rest + np.tensordot(units, moves, 1)
  gap = np.mean([at[:, a, 1] - at[:, b, 1] for a, b in INNER_LIPS], axis=0)
  left, right = (at[:, i] for i in OUTER_CORNERS)
  return gap.clip(0) / np.linalg.norm(left - right, axis=-1)


def write_clip(clip, folder: Path) -> None:
  """`NAME.mp4` and `NAME.npz` of a clip; whole or not at all."""
  from data_pipelines import schema
  from vasa_jax.inference.media.video import VideoWriter

  name = clip.clip_id
  pictures = [schema.decode_picture(frame) for frame in clip.frames]
  with VideoWriter(folder / f'{name}.mp4', pictures[0].shape[:2], crf=20) as video:
    video.write(np.stack(pictures))
    sound = np.interp(
      np.arange(len(clip.audio) * 3) / 3, np.arange(len(clip.audio)), clip.audio
    )
    video.write_sound((sound / 32768).astype(np.float32)[:, None])
  arrays = {
    name: getattr(clip, name)
    for name in ('pose', 'gaze', 'distance', 'emotion', 'landmarks', 'audio')
  }
  truth = clip.truth
  arrays |= {
    'shape': truth.shape,
    'units': truth.units,
    'eyes': truth.eyes,
    'seed': truth.seed,
  }
  arrays['mouth_open'] = true_opening(truth.units, truth.shape)
  np.savez(folder / f'{name}.npz', **arrays)


def main(arguments: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  add = parser.add_argument
  add('--out', type=Path, required=True, help='folder of the clips')
  add('--clips', type=int, default=20)
  add('--first', type=int, default=FIRST_SEED, help='seed of the first person')
  add('--size', type=int, default=384, help='side in px')
  add('--frames', type=int, default=75)
  add('--natural', action='store_true', help='as the corpus acts, without wide turns')
  add('--debug', action='store_true')
  args = parser.parse_args(arguments)

  def work() -> int:
    from tqdm import tqdm

    args.out.mkdir(parents=True, exist_ok=True)
    for seed in tqdm(range(args.first, args.first + args.clips), unit='clip'):
      if not (args.out / f'seed-{seed}.npz').is_file():
        clip = render_clip(seed, args.size, args.frames, not args.natural)
        write_clip(clip, args.out)
    return 0

  return run_command(work, args.debug)


if __name__ == '__main__':
  sys.exit(main())
