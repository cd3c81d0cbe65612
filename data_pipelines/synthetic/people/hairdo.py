"""A head under the comb: where hair is rooted, how long it is, which way it lies."""

from collections.abc import Callable

import numpy as np

from data_pipelines.synthetic.people import scalp, strands
from data_pipelines.synthetic.people.hair_styles import Cut, Worn
from data_pipelines.synthetic.people.strands import unit


def smooth(x: np.ndarray, low: float, high: float) -> np.ndarray:
  """0 below `low`, 1 above `high`, smooth between; falls if `high` is lower."""
  t = np.clip((x - low) / (high - low), 0, 1)
  return t * t * (3 - 2 * t)


class Head:
  """A person's head with the numbers that every style needs.

  Attributes:
    vertices: (n, 3) the neutral mesh.
    worn: the style.
    surface, face: of the person.
    map: of the base mesh.
    above: (n,) degrees over the hairline.
    middle: (3,) of the scalp; `crown`: (3,) the whorl.
    tie: mesh vertex where hair is tied, if it is.
  """

  def __init__(self, vertices: np.ndarray, worn: Worn):
    self.vertices = vertices
    self.worn = worn
    self.surface = scalp.Surface(vertices)
    self.face = strands.face_of(vertices)
    self.map = scalp.scalp_map()
    self.above = scalp.field(worn.line)
    self.middle = vertices[self.map.cap.ravel()].mean(0)
    self.crown = vertices[self.vertex(*scalp.CROWN)]
    self.tie: int | None = None

  def vertex(self, azimuth: float, elevation: float) -> int:
    """The scalp's mesh vertex nearest to these angles, degrees."""
    m = self.map
    used = np.unique(m.cap)
    away = (m.turn[used] - azimuth + 180) % 360 - 180
    away = (away * np.cos(np.radians(elevation))) ** 2
    away = away + (m.elevation[used] - elevation) ** 2
    return int(used[away.argmin()])

  def at(self, values: np.ndarray, chosen) -> np.ndarray:
    """Values (n,) of mesh vertices at the roots `chosen` (indices or a slice)."""
    return (values[self.map.roots[chosen]] * self.map.shares[chosen]).sum(1)

  def choose(self, count: int, shaved: float) -> np.ndarray:
    """Indices of roots spread over the scalp, more of them at the hairline.

    Args:
      count: of them, without those that are added at the hairline.
      shaved: elevation, degrees, under which sides and back are left out.
    """
    above = self.at(self.above, slice(None))
    side = smooth(self.at(self.map.azimuth, slice(None)), 45, 65)
    elevation = self.at(self.map.elevation, slice(None))
    bare = (shaved > 0) & (elevation < shaved * side)
    inner = np.flatnonzero((above > 0.3) & ~bare)
    if self.worn.cut.tie:  # nothing is combed over the ears
      azimuth = self.at(self.map.azimuth, inner)
      inner = inner[(azimuth > 90) | (elevation[inner] > 0.2 * azimuth - 9)]
    edge = inner[above[inner] < 5]
    body = inner[:count]
    extra = np.setdiff1d(edge, body, assume_unique=True)[: count // 6]
    return np.concatenate([body, extra])


def lengths(
  head: Head, chosen: np.ndarray, cut: Cut, rng: np.random.Generator
) -> np.ndarray:
  """How long the hair of the roots `chosen` (k,) is: (k,) mesh units."""
  azimuth = head.at(head.map.azimuth, chosen)
  elevation = head.at(head.map.elevation, chosen)
  above = head.at(head.above, chosen)
  top = smooth(elevation, 30, 56)
  front = smooth(azimuth, 62, 40) * smooth(above, 34, 16)
  back = smooth(azimuth, 105, 140)
  low = cut.side * (1 - back) + cut.back * back
  length = low * (1 - top) + cut.top * top
  length = length * (1 - front) + cut.front * front
  # A cut grows out of the neck and the ears, it does not start at full length.
  if cut.side < 0.5:
    length = length * (0.55 + 0.45 * smooth(above, 0, 14))
  return length * np.exp(rng.normal(0, 0.09, len(chosen)))


def comber(head: Head, cut: Cut, side: float) -> Callable[[np.ndarray], np.ndarray]:
  """The direction field of the comb: away from the parting, or from the whorl.

  Args:
    head: of the person.
    cut: the style.
    side: -1 or 1, of the parting.

  Returns:
    A function of points (k, 3) that gives directions (k, 3), of any length.
  """
  crown = head.crown
  if cut.part is None:
    start = crown + np.array([0.0, 0.0, 0.02])
  else:
    apart = head.face.half_width - strands.FACE_HALF_WIDTH
    front = head.vertices[head.vertex(0.0, 18.0)]
    start = front + [side * cut.part * apart, 0, 0]
    # The line runs straight back, then bends to the whorl.
    crown = crown * [0, 1, 1] + [0.6 * start[0], 0, 0]
  axis = crown - start
  span = max(float(axis @ axis), 1e-6)
  forward = np.array([0, 0, cut.forward], np.float32)
  across = np.array([cut.sideways * side, 0, 0], np.float32)
  ears = head.face.top

  def comb(points):
    t = np.clip((points - start) @ axis / span, 0, 1)
    away = unit(points - (start + t[:, None] * axis) + [0, -0.02, 0])
    high = smooth(points[:, 1], ears - 0.1, ears + 0.5)[:, None]
    return away + high * (forward + across)

  return comb
