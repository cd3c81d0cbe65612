"""Strands that grow out of the skin.

A strand starts at its root and is laid down step by step: it follows the comb while
it is near the head, then hangs. After every step it is pushed off the skin by a
clearance that is larger for outer layers, so that hair has depth; it is led round
the face, or cut at the brows. `strand_cards.py` makes cards along strands.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from data_pipelines.synthetic.assets import load_assets
from data_pipelines.synthetic.people import scalp

DOWN = np.array([0.0, -1.0, 0.0], np.float32)
FACE_HALF_WIDTH = 0.24  # of the window that is kept free, beyond the eyes' middles


def unit(vectors: np.ndarray) -> np.ndarray:
  """Vectors (..., 3) at length 1."""
  length = np.linalg.norm(vectors, axis=-1, keepdims=True)
  return vectors / np.maximum(length, 1e-9)


@dataclasses.dataclass(frozen=True)
class Roots:
  """Where k strands start."""

  ref: np.ndarray  # (k, 3) mesh vertices
  share: np.ndarray  # (k, 3) their weights, sum 1
  position: np.ndarray  # (k, 3)
  normal: np.ndarray  # (k, 3)

  def __len__(self) -> int:
    return len(self.ref)

  def take(self, chosen: np.ndarray) -> 'Roots':
    """Some of the roots, by index or mask."""
    fields = (self.ref, self.share, self.position, self.normal)
    return Roots(*(values[chosen] for values in fields))


def roots_at(surface: scalp.Surface, ref: np.ndarray, share: np.ndarray) -> Roots:
  """Roots in triangles `ref` (k, 3) of the mesh with barycentric `share` (k, 3)."""
  weight = share[..., None]
  position = (surface.vertices[ref] * weight).sum(1)
  return Roots(ref, share, position, unit((surface.normals[ref] * weight).sum(1)))


@dataclasses.dataclass(frozen=True)
class Face:
  """The window of the face that hair must leave free, in mesh units."""

  half_width: float  # of the window
  top: float  # height of the brows' upper edge
  front: float  # depth from which on a point is in front of the face
  chin: float  # height of the chin
  eyes: np.ndarray  # (2, 3) eyeball centres


def face_of(vertices: np.ndarray) -> Face:
  """The window of a person's neutral mesh (n, 3)."""
  joints = load_assets().joints
  eyes = np.stack([vertices[joints[k]].mean(0) for k in ('left_ball', 'right_ball')])
  apart = abs(eyes[0, 0] - eyes[1, 0]) / 2
  return Face(
    half_width=float(apart + FACE_HALF_WIDTH),
    top=float(eyes[:, 1].mean() + 0.24),
    front=float(eyes[:, 2].mean() - 0.4),
    chin=float(eyes[:, 1].mean() - 1.0),
    eyes=eyes,
  )


@dataclasses.dataclass(frozen=True)
class Growth:
  """How k strands grow; every array has k rows.

  Attributes:
    length: mesh units.
    comb: `comb(points (k, 3)) -> (k, 3)` direction of the comb.
    hold: (k,) how strongly strands follow it, 0..1.
    lift: (k,) how far they stand off at the root, 0 = flat, 1 = upright.
    gravity: (k,) pull downwards over the whole length.
    clearance: (k,) height above the skin once off the root.
    rise: share of the length over which that height is reached.
    cling: how strongly hair keeps to that height where it lies on the head, 0..1.
    stray: random change of direction.
    fringe: (k,) bool, cut at the brows instead of led round the face.
    fringe_height: (k,) where it is cut, mesh height.
    floor: (k,) strands are cut at this mesh height.
    target: a point (3,) at which all strands end (a tie), or None.
    wave: amplitude, mesh units; `pitch`: length of a wave; `phase`: (k,).
  """

  length: np.ndarray
  comb: Callable[[np.ndarray], np.ndarray]
  hold: np.ndarray
  lift: np.ndarray
  gravity: np.ndarray
  clearance: np.ndarray
  fringe: np.ndarray
  fringe_height: np.ndarray
  floor: np.ndarray
  rise: float = 0.3
  cling: float = 0.0
  stray: float = 0.1
  target: np.ndarray | None = None
  wave: float = 0.0
  pitch: float = 0.5
  phase: np.ndarray | None = None


def _tangent(vectors, normals):
  along = np.einsum('ij,ij->i', vectors, normals)[:, None]
  return vectors - along * normals


def _off_the_shoulders(points, roots, step, face):
  """Hair slides off the shoulders, to the front or to the back."""
  low = np.clip((face.chin + 0.1 - points[:, 1]) / 0.5, 0, 1)[:, None]
  forward = np.where(roots.position[:, 2] > face.front - 0.75, 1.0, -1.0)[:, None]
  inwards = -np.sign(points[:, :1]) * np.maximum(np.abs(points[:, :1]) - 0.75, 0)
  shift = np.concatenate([inwards, np.zeros_like(low), 0.5 * forward * step], 1)
  return (low * shift).astype(np.float32)


def _in_window(points, face, margin):
  return (
    (points[:, 2] > face.front)
    & (points[:, 1] < face.top + 0.06)
    & (points[:, 1] > face.chin - 0.1)
    & (np.abs(points[:, 0]) < face.half_width + margin)
  )


def grow(
  roots: Roots,
  growth: Growth,
  surface: scalp.Surface,
  face: Face,
  rng: np.random.Generator,
  steps: int = 10,
) -> np.ndarray:
  """Lays the strands down: (k, steps + 1, 3), evenly spaced, tips already cut."""
  count = len(roots)
  line = np.empty((count, steps + 1, 3), np.float32)
  line[:, 0] = point = roots.position
  normal = roots.normal
  stray = rng.normal(0, growth.stray, (count, 3)).astype(np.float32)
  flat = unit(_tangent(growth.comb(point), normal))
  lift = growth.lift[:, None]
  heading = unit(flat * (1 - lift) + normal * lift + stray)
  step = (growth.length / steps)[:, None]
  side = np.where(point[:, 0] + 0.3 * heading[:, 0] < 0, -1.0, 1.0)
  ended = np.full(count, float(steps), np.float32)
  for i in range(1, steps + 1):
    t = i / steps
    comb = unit(_tangent(growth.comb(point), normal))
    on_head = np.clip((point[:, 1] - face.top + 0.55) / 0.5, 0, 1)
    hold = (growth.hold * (1 - 0.7 * t) * on_head)[:, None]
    pull = (growth.gravity * np.sqrt(t))[:, None] * DOWN
    if i % 3 == 0:
      stray = rng.normal(0, growth.stray, (count, 3)).astype(np.float32)
    heading = unit(heading + hold * comb + pull + stray * 0.6)
    ahead = point + heading * step
    high = growth.clearance * min(1.0, t / growth.rise)
    ahead, normal = surface.lift(ahead, high, growth.cling * on_head)
    ahead = ahead + _off_the_shoulders(ahead, roots, step, face)
    led = ~growth.fringe & _in_window(ahead, face, 0.0)
    ahead[led, 0] = side[led] * face.half_width
    heading = unit(ahead - point)
    point = line[:, i] = point + heading * step
  middle = (line[:, :-2] + 2 * line[:, 1:-1] + line[:, 2:]) / 4
  line[:, 1:-1] = middle  # no kinks
  if growth.target is not None:  # all end at the tie
    missing = (growth.target - line[:, -1])[:, None]
    line = line + missing * (np.linspace(0, 1, steps + 1)[:, None] ** 2)
    high = np.repeat(growth.clearance, steps) * 0.7
    flat, _ = surface.lift(line[:, 1:].reshape(-1, 3).astype(np.float32), high)
    line[:, 1:] = flat.reshape(count, steps, 3)
  if growth.wave > 0:
    line = _waved(line, growth, surface)
  for i in range(1, steps + 1):
    ended = np.minimum(ended, _ending(line[:, i - 1], line[:, i], i, growth, face))
  at = ended[:, None] * np.linspace(0, 1, steps + 1)
  before = np.minimum(at.astype(int), steps - 1)
  share = (at - before)[..., None].astype(np.float32)
  row = np.arange(count)[:, None]
  line = line[row, before] * (1 - share) + line[row, before + 1] * share
  out, _ = surface.lift(line[:, 1:].reshape(-1, 3), 0.015)
  line[:, 1:] = out.reshape(count, steps, 3)
  return line.astype(np.float32)


def _waved(line, growth, surface):
  """Strands with a wave across them."""
  count, rows, _ = line.shape
  along = unit(np.gradient(line, axis=1))
  _, normal = surface.lift(line.reshape(-1, 3), -1e3)
  normal = normal.reshape(line.shape)
  across = unit(np.cross(along, normal))
  t = np.linspace(0, 1, rows)
  turns = growth.length[:, None] * t / growth.pitch
  angle = 2 * np.pi * turns + growth.phase[:, None]
  strength = growth.wave * np.minimum(1, t * 2.5)
  line = line + across * (np.sin(angle) * strength)[..., None]
  line = line + normal * (0.5 * np.cos(angle) * strength)[..., None]
  return line.astype(np.float32)


def _ending(before, after, i, growth, face):
  """Step at which a strand meets the scissors between two of its points, or inf."""
  end = np.full(len(before), np.inf, np.float32)

  def crosses(height, where):
    drop = np.maximum(before[:, 1] - after[:, 1], 1e-6)
    share = np.clip((before[:, 1] - height) / drop, 0, 1)
    hit = where & (after[:, 1] < height)
    return np.where(hit, i - 1 + share, np.inf).astype(np.float32)

  in_front = (after[:, 2] > face.front) & (np.abs(after[:, 0]) < face.half_width + 0.1)
  end = np.minimum(end, crosses(growth.fringe_height, growth.fringe & in_front))
  end = np.minimum(end, crosses(growth.floor, np.ones(len(before), bool)))
  window = _in_window(after, face, -0.015)
  window &= ~growth.fringe | (after[:, 1] < growth.fringe_height - 0.02)
  end = np.where(window, np.minimum(end, i - 1), end)
  return end
