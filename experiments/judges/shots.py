"""Pictures as the corpus draws them, each with the truth that the judges compare with.

Everything goes through `clips.render_stills` and `clips.render`, so whatever
the corpus becomes (cameras, styles, worn things) is what is judged.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from data_pipelines.synthetic.processes import InOrder

SIZE = 256


class Shots(NamedTuple):
  """Frames of one person, `t` of them.

  Attributes:
    pictures: `(t, s, s, 3)` uint8 RGB.
    units: `(t, 52)` face units. pose: `(t, 6)` z_pose. eyes: `(t, 2)` radians.
    gaze: `(t, 2)` degrees, camera frame. emotion: `(t, 8)` scores.
    marks: `(t, 468, 2)` where the mesh's landmarks truly are, fractions of the picture.
    opening: `(t,)` gap of the inner lips over the width between the outer eye corners,
      of the head's own geometry.
  """

  pictures: np.ndarray
  units: np.ndarray
  pose: np.ndarray
  eyes: np.ndarray
  gaze: np.ndarray
  emotion: np.ndarray
  marks: np.ndarray
  opening: np.ndarray


def draw_stills(
  seed: int, frames: int, size: int = SIZE, supersample: int = 2, plain: bool = False
):
  """`Shots` of person `seed` as stage 1 sees him: frame 0 rests and looks ahead.

  `plain` leaves lens, sensor and codec out.
  """
  from data_pipelines.synthetic import clips

  scene = clips.render_stills(seed, frames, size, supersample, plain=plain)
  return with_truth(seed, scene)


def draw_faces(
  seed: int,
  units: np.ndarray,
  size: int = SIZE,
  supersample: int = 2,
  plain: bool = False,
):
  """`Shots` of person `seed` from the front with the given `(t, 52)` units."""
  from data_pipelines.synthetic import clips
  from data_pipelines.synthetic.acting import performance

  rng = np.random.default_rng((seed, 4))
  units = np.asarray(units, np.float32)
  still = performance.pose_for_stills(rng, max(len(units), 2))
  # Of whatever a performance consists: nothing of it moves but the face.
  calm = {
    field.name: np.zeros_like(value[: len(units)])
    for field in dataclasses.fields(still)
    if isinstance(value := getattr(still, field.name), np.ndarray)
  }
  calm |= {'units': units, 'distance': np.ones(len(units), np.float32)}
  still = dataclasses.replace(still, **calm)
  scene = clips.render(seed, still, size, supersample, plain=plain, moving=False)
  return with_truth(seed, scene)


def with_truth(seed: int, scene) -> Shots:
  """The scene that was just rendered, with where the landmarks truly are."""
  from data_pipelines.synthetic.people.heads import sample_identity
  from data_pipelines.synthetic.shape import template_vertices
  from vasa_jax.face.template import load_template

  acted, template = scene.performance, load_template()
  index, weight = template.landmark_index, template.landmark_weight[..., None]
  rest = template_vertices(sample_identity(seed))
  shapes = rest + np.tensordot(acted.units, template.units, 1)
  points = (shapes[:, index] * weight).sum(2)
  return Shots(
    scene.pictures, acted.units, acted.pose, acted.eyes, acted.gaze, acted.emotion,
    scene.landmarks, lip_opening(points).astype(np.float32),
  )  # fmt: skip


def lip_opening(points: np.ndarray) -> np.ndarray:
  """Landmarks `(t, 468, 3)` in the head's frame, y up, to `(t,)` openings.

  As `metrics.mouth.mouth_opening`, but upwards only: lips pressed past each other are
  closed, though there is a distance between their edges.
  """
  from vasa_jax.metrics.openings import INNER_LIPS, OUTER_CORNERS

  gap = np.mean([points[:, a, 1] - points[:, b, 1] for a, b in INNER_LIPS], axis=0)
  left, right = (points[:, i] for i in OUTER_CORNERS)
  return gap.clip(0) / np.linalg.norm(left - right, axis=-1)


def over_people(
  work: Callable[[int], Any], seeds: Sequence[int], workers: int, what: str
) -> Iterator[Any]:
  """`work(seed)` of every seed, in order, in `workers` processes, with a bar.

  Raises:
    UserError: a process was killed.
  """
  from tqdm import tqdm

  bar = functools.partial(tqdm, total=len(seeds), desc=what, unit='person')
  with InOrder(work, seeds, workers if workers > 1 else 0) as results:
    yield from bar(results)
