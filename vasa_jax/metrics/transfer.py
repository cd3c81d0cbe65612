"""One factor is given from one picture to another: what was asked, and what changed.

Four factors, pose, gaze, expression and identity, are asked to change one at a time.
Judges that nobody here has trained read all four before and after. A face model that
disentangles changes what was asked, by as much as the true pictures do, and nothing
else: VASA-1 section 3.1 claims it and shows pictures; this is its matrix.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vasa_jax.metrics.disentangle import Swap, answers, judged
from vasa_jax.metrics.faces import RIGID, mesh_pose, mesh_world, track_faces
from vasa_jax.metrics.gaze import read_gaze
from vasa_jax.metrics.oracle import FaceAdapter
from vasa_jax.metrics.pose import geodesic_error, rotation
from vasa_jax.metrics.table import bootstrap

FACTORS = ('pose', 'gaze', 'expression', 'identity')
UNITS = {'pose': 'deg', 'gaze': 'deg', 'expression': '%', 'identity': '128-d'}
_EYE_CORNERS = (33, 263)


class Reading(NamedTuple):
  """What the judges say of a picture; NaN where there is no face.

  pose `(3,)` degrees; gaze `(2,)` degrees in the head's frame; face `(468, 3)` the mesh
  in the head's frame, in per cent of the distance between the outer eye corners; person
  `(128,)`, NaN without dlib.
  """

  pose: np.ndarray
  gaze: np.ndarray
  face: np.ndarray
  person: np.ndarray


def read(picture: np.ndarray, describe: Callable | None = None) -> Reading:
  """Reads a picture `(s, s, 3)`, uint8 or float in [0, 1].

  Args:
    describe: `faces.load_descriptor()`; None leaves the person out.
  """
  picture = judged(picture)
  seen = track_faces([picture], irises=True)
  nobody = np.full(128, np.nan)
  if not seen.found[0]:
    return Reading(
      np.full(3, np.nan), np.full(2, np.nan), np.full((468, 3), np.nan), nobody
    )
  points, irises = seen.points[0], seen.irises[0]
  pose = mesh_pose(points)
  person = None if describe is None else describe(picture)
  return Reading(
    pose, read_gaze(points, irises, pose), in_head_frame(points, pose),
    nobody if person is None else np.asarray(person, np.float64),
  )  # fmt: skip


def in_head_frame(points: np.ndarray, pose: np.ndarray) -> np.ndarray:
  """The mesh `(468, 3)` turned to the front, centred on its rigid part, in per cent."""
  world = mesh_world(points)
  world = world - world[list(RIGID)].mean(0)
  local = world @ rotation(np.asarray(pose))
  width = np.linalg.norm(local[_EYE_CORNERS[0]] - local[_EYE_CORNERS[1]])
  return 100 * local / max(float(width), 1e-6)


def changes(before: Reading, after: Reading) -> dict[str, float]:
  """How far each factor has moved, in `UNITS`; NaN where one of the faces is missing.

  The expression is the root mean square way of the mesh's points.
  """
  way = np.square(after.face - before.face).sum(1)
  moved = {
    'pose': geodesic_error(before.pose, after.pose),
    'gaze': np.linalg.norm(after.gaze - before.gaze),
    'expression': np.sqrt(way.mean()),
    'identity': np.linalg.norm(after.person - before.person),
  }
  # What does not move at all would tremble by rounding errors.
  return {name: round(float(value), 6) for name, value in moved.items()}


def score_transfers(
  systems: Mapping[str, FaceAdapter],
  swaps: Sequence[Swap],
  describe: Callable | None = None,
  progress: Callable = lambda items: items,
) -> list[dict[str, Any]]:
  """Asks all systems; 'truth' in front of them, which answers with the true picture.

  Args:
    systems: by name.
    swaps: `asked` is one of `FACTORS` and `truth` the right answer. Where the identity
      is asked to change, another person is moved like the donor, who was there before.
    describe: see `read`.
    progress: passes pictures on.

  Returns:
    One row a system and swap: clip, system, asked, and `changes`.
  """
  known: dict[int, Reading] = {}

  def remembered(picture: np.ndarray) -> Reading:
    if id(picture) not in known:
      known[id(picture)] = read(picture, describe)
    return known[id(picture)]

  def row(swap: Swap, system: str, before: Reading, after: Reading) -> dict[str, Any]:
    return {
      'clip': swap.name, 'system': system, 'asked': swap.asked,
      **changes(before, after),
    }  # fmt: skip

  rows = []
  for swap in progress(swaps):
    before = swap.donor if swap.asked == 'identity' else swap.portrait
    rows.append(row(swap, 'truth', remembered(before.picture), remembered(swap.truth)))
  for name, adapter in systems.items():
    rests: dict[int, Reading] = {}
    made = []
    pictures = zip(swaps, answers(adapter, swaps), strict=True)
    for swap, (rest, answer) in progress(list(pictures)):
      if id(swap.portrait) not in rests:
        rests[id(swap.portrait)] = read(rest, describe)
      made.append((swap, read(answer, describe)))
    for swap, after in made:
      before = swap.donor if swap.asked == 'identity' else swap.portrait
      rows.append(row(swap, name, rests[id(before)], after))
  return rows


def matrix(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
  """`{asked: {changed: {value, low, high, people}}}` of the rows of one system.

  Means over people, each the mean over that person's questions, with their 95 %
  bootstrap interval.
  """
  table: dict[str, dict[str, dict[str, float]]] = {}
  for asked in FACTORS:
    chosen = [row for row in rows if row['asked'] == asked]
    names = list(dict.fromkeys(row['clip'] for row in chosen))
    table[asked] = {}
    for changed in FACTORS:
      means = []
      for name in names:
        values = [row[changed] for row in chosen if row['clip'] == name]
        values = [value for value in values if np.isfinite(value)]
        if values:
          means.append(float(np.mean(values)))
      low, high = bootstrap(np.array(means))
      value = float(np.mean(means)) if means else float('nan')
      table[asked][changed] = {
        'value': value, 'low': low, 'high': high, 'people': len(means),
      }  # fmt: skip
  return table
