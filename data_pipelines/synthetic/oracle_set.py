"""The oracle set: rendered people in whom one factor at a time changes.

    python -m data_pipelines.synthetic.oracle_set --out DIR --size 256 [--identities 50]

A fixed set that no corpus shares a person with. It is the judge of disentanglement:
`load_oracle` gives each base picture with the pictures that differ from it in one known
factor, and the exact labels of both. `oracle_factors` is the plan.

The files are a corpus like any other (split `test`): one clip for each person and
factor, except that clips whose labels hold for a whole clip (light, identity) have one
frame each. Pictures are clean: no lens, sensor or codec. The same command gives the
same bytes with any number of workers, and goes on where it stopped.
"""

import argparse
import dataclasses
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data_pipelines import schema
from data_pipelines.command import run_command
from data_pipelines.errors import UsageError, UserError
from data_pipelines.synthetic import clips
from data_pipelines.synthetic.acting.performance import Performance
from data_pipelines.synthetic.acting.rotations import gaze_of
from data_pipelines.synthetic.acting.visemes import VISEMES
from data_pipelines.synthetic.drawing import scene
from data_pipelines.synthetic.drawing.render import Renderer
from data_pipelines.synthetic.filming.backdrop import Backdrop, sample_backdrop
from data_pipelines.synthetic.filming.camera import Camera
from data_pipelines.synthetic.oracle_factors import (
  IDENTITIES,
  OracleFrame,
  oracle_frames,
)
from data_pipelines.synthetic.people.heads import sample_identity
from data_pipelines.synthetic.people.traits import stream
from data_pipelines.synthetic.processes import InOrder
from data_pipelines.synthetic.recipe import SPLIT_OFFSET, claim
from data_pipelines.synthetic.shape import identity_shape
from data_pipelines.synthetic.speaking.phones import SILENCE

_STRANGERS = 1 << 20  # first seed of the people who take a person's place
_CLIP_LABELS = ('light', 'identity')  # factors that a clip has one label of


@dataclasses.dataclass(frozen=True)
class OracleRecipe:
  """What the set is made of; equal recipes give equal bytes."""

  size: int = 256
  identities: int = IDENTITIES
  supersample: int = 2
  split: str = 'test'

  def __post_init__(self):
    if not 16 <= self.size <= 2048:
      raise UsageError(f'--size must be 16 to 2048 pixels, not {self.size}')
    if not 1 <= self.identities <= 1000:
      raise UsageError(f'--identities must be 1 to 1000, not {self.identities}')
    if self.supersample < 1:
      raise UsageError('--supersample must be 1 or more')


def person_seed(identity: int, stranger: int = 0) -> int:
  """Seed of a person of the set, or of the one who takes the place."""
  return SPLIT_OFFSET['oracle'] + stranger * _STRANGERS + identity


def _place(identity: int, number: int, size: int) -> Backdrop:
  """Place `number` of a person: not at night, for the base must be seen well."""
  rng = stream(person_seed(identity), topic=f'oracle place {number}')
  while True:
    place = sample_backdrop(rng, size)
    if 'night' not in place.kind:
      return place


def _rig(identity: int, number: int, home: Backdrop) -> scene.Light:
  """Rig `number` of a person; 0 is the light of the place `home`."""
  rng = stream(person_seed(identity), topic=f'oracle light {number}')
  return scene.sample_light(rng, None if number else home)


def _performance(frames: list[OracleFrame]) -> Performance:
  pose = np.stack([f.pose for f in frames])
  eyes = np.stack([f.eyes for f in frames])
  count = len(frames)
  return Performance(
    units=np.stack([f.units for f in frames]),
    pose=pose,
    eyes=eyes,
    gaze=gaze_of(pose, eyes),
    distance=np.exp(pose[:, 3]),
    emotion=np.stack([f.emotion for f in frames]),
    viseme=np.full(count, VISEMES.index(SILENCE), np.int64),
    energy=np.zeros(count, np.float32),
    body=np.zeros((count, 3), np.float32),
  )


def grouped(frames) -> dict[str, list[OracleFrame]]:
  """{clip id: its frames}, in order."""
  found = {}
  for frame in frames:
    name = f'oracle-{frame.identity:03d}-{frame.factor.replace(" ", "_")}'
    if frame.factor in _CLIP_LABELS:
      name += f'-{frame.value:.0f}'
    found.setdefault(name, []).append(frame)
  return found


def _values(frames, name) -> list[int]:
  return sorted({getattr(frame, name) for frame in frames})


def render_person(identity: int, recipe: OracleRecipe) -> list[schema.Clip]:
  """All clips of one person; a pure function of its arguments."""
  frames = [f for f in oracle_frames(recipe.identities) if f.identity == identity]
  renderer = Renderer(recipe.size, recipe.supersample)
  people = {
    n: sample_identity(person_seed(identity, n)) for n in _values(frames, 'stranger')
  }
  places = {n: _place(identity, n, recipe.size) for n in _values(frames, 'place')}
  lights = {n: _rig(identity, n, places[0]) for n in _values(frames, 'light')}
  shots, loaded = {}, None
  # Loading a person or a place costs more than a frame: what is alike comes together.
  for frame in sorted(frames, key=lambda f: (f.stranger, f.place)):
    if loaded != (frame.stranger, frame.place):
      loaded = (frame.stranger, frame.place)
      renderer.load(people[frame.stranger], places[frame.place].picture)
    shots[frame] = renderer.frame(
      frame.units, frame.pose, frame.eyes, lights[frame.light]
    )

  result = []
  for name, members in grouped(frames).items():
    drawn = [shots[frame] for frame in members]
    who = people[members[0].stranger]
    result.append(
      clips.to_clip(
        name,
        person_seed(identity, members[0].stranger),
        clips.Shots(
          pictures=np.stack([shot.picture for shot in drawn]),
          points=np.stack([shot.points for shot in drawn]).astype(np.float16),
          landmarks=np.stack([shot.landmarks for shot in drawn]),
          performance=_performance(members),
          shape=identity_shape(who),
          identity_vector=who.vector(),
          light=lights[members[0].light].flat(),
          camera=Camera(),
          style=None,
          worn=clips.worn_by(who),
        ),
      )
    )
  return result


def _records(job: tuple[int, OracleRecipe]) -> list[bytes]:
  from data_pipelines.builder import serializer

  serialize = serializer()
  return [serialize(clip) for clip in render_person(*job)]


def render_oracle(
  out: str | os.PathLike,
  size: int = 256,
  identities: int = IDENTITIES,
  supersample: int = 2,
  workers: int = 0,
) -> int:
  """Makes the set, or what is missing of it: one file for each person.

  Args:
    out: folder; made if missing.
    size: side of the pictures.
    identities: people; the first ones are the same for any number.
    supersample: samples a pixel along each side.
    workers: processes that render; 0 renders in this one.

  Returns:
    How many people were rendered now.

  Raises:
    UserError: the folder cannot be written, or holds something else.
  """
  from tqdm import tqdm

  from data_pipelines import builder

  recipe = OracleRecipe(size, identities, supersample)
  folder = pathlib.Path(out)
  claim(folder, recipe)
  paths = [
    builder.shard_path(folder, recipe.split, i, identities) for i in range(identities)
  ]
  missing = [i for i, path in enumerate(paths) if not path.exists()]
  jobs = [(identity, recipe) for identity in missing]
  bar = tqdm(total=identities, initial=identities - len(missing), unit='person')
  with bar, InOrder(_records, jobs, workers) as records:
    for identity in missing:
      builder.write_shard(paths[identity], next(records))
      bar.update()
  builder.write_catalogue(folder)
  return len(missing)


class OracleShot(NamedTuple):
  """A picture of the set with its exact labels.

  value: of the factor, see `OracleFrame`. picture: `(s, s, 3)` uint8 RGB. z_pose:
  `(6,)`. z_dyn: `(54,)`. gaze: `(2,)` degrees, camera frame. emotion: `(8,)`. points:
  `(384, 3)`. shape: `(64,)`. light: as in `schema.Truth`.
  """

  value: float | str
  picture: np.ndarray
  z_pose: np.ndarray
  z_dyn: np.ndarray
  gaze: np.ndarray
  emotion: np.ndarray
  points: np.ndarray
  shape: np.ndarray
  light: np.ndarray


class OracleGroup(NamedTuple):
  """A base picture and those that differ from it in one factor."""

  identity: int
  factor: str
  base: OracleShot
  changed: tuple[OracleShot, ...]


def _shots(clip: schema.Clip, frames: list[OracleFrame]) -> list[OracleShot]:
  if len(clip) != len(frames):
    raise UserError(
      f'clip {clip.clip_id} has {len(clip)} frames, not {len(frames)}: the set is '
      'of another version; make it again in another folder'
    )
  truth, poses, dynamics = clip.truth, clip.z_pose, clip.z_dyn
  return [
    OracleShot(
      value=frame.value,
      picture=schema.decode_picture(clip.frames[i]),
      z_pose=poses[i],
      z_dyn=dynamics[i],
      gaze=clip.gaze[i],
      emotion=clip.emotion[i],
      points=truth.points[i],
      shape=truth.shape,
      light=truth.light,
    )
    for i, frame in enumerate(frames)
  ]


def load_oracle(folder: str | os.PathLike) -> Iterator[OracleGroup]:
  """The groups of a set, person by person, factor by factor.

  Raises:
    UserError: there is no set, or it was made by another version.
  """
  from data_pipelines import builder

  examples = builder.open_clips(folder, 'test')
  plan = grouped(oracle_frames(1))  # every person has the same plan
  if len(examples) % len(plan):
    raise UserError(f'{folder} is no oracle set: it has {len(examples)} clips')
  for identity in range(len(examples) // len(plan)):
    base, groups = None, {}
    for i, (name, frames) in enumerate(plan.items()):
      clip = schema.from_example(examples[identity * len(plan) + i])
      expected = name.replace('oracle-000-', f'oracle-{identity:03d}-')
      if clip.clip_id != expected:
        raise UserError(
          f'{folder} is no oracle set of this version: its clip '
          f'{clip.clip_id} should be {expected}'
        )
      shots = _shots(clip, frames)
      if frames[0].factor == 'base':
        base = shots[0]
      else:
        groups.setdefault(frames[0].factor, []).extend(shots)
    for factor, shots in groups.items():
      yield OracleGroup(identity, factor, base, tuple(shots))


def main(arguments: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(
    prog='python -m data_pipelines.synthetic.oracle_set', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  add = parser.add_argument
  add('--out', required=True, help='folder of the set')
  add('--size', type=int, default=256, help='side of the pictures in pixels')
  add('--identities', type=int, default=IDENTITIES, help='people')
  add('--supersample', type=int, default=2, help='1 is twice as fast, 2 is smooth')
  add('--workers', type=int, default=os.cpu_count() or 1, help='processes; 0 = none')
  add('--debug', action='store_true', help='show where an error came from')
  args = parser.parse_args(arguments)

  def work() -> None:
    made = render_oracle(
      args.out, args.size, args.identities, args.supersample, args.workers
    )
    count = len(oracle_frames(args.identities))
    print(f'{args.out}: {count} frames of {args.identities} people, {made} made now')

  return run_command('oracle_set', work, args.debug)


if __name__ == '__main__':
  sys.exit(main())
