"""Where things are on a person's head: eyes, nose, brows, ears."""

import dataclasses
import functools

import numpy as np

from data_pipelines.synthetic import assets as assets_lib

# Vertices of the base mesh on the side x > 0.
_EAR_TOP, _LOBE = 5119, 5125
_BROW, _CROWN, _CHIN = 234, 881, 732


LEAST_BROW = 0.24  # mesh units above the eyes, where hats think the brows are


@dataclasses.dataclass(frozen=True)
class Landmarks:
  """Places on one person, mesh units; sides in the order x > 0, x < 0."""

  eyes: np.ndarray  # (2, 3) centres of the eyeballs
  eye_radius: float
  ear_tops: np.ndarray  # (2, 3) where the ear meets the skull, above
  lobes: np.ndarray  # (2, 3) lowest points of the ears
  brow: np.ndarray  # (3,) on the middle line, as high as the brows
  crown: np.ndarray  # (3,)
  chin: np.ndarray  # (3,) lower edge of the chin, middle
  scale: float  # size of the head, 1 = the base mesh's


@functools.lru_cache(maxsize=1)
def skin_vertices() -> np.ndarray:
  """The mesh vertices that are skin, (k,) int."""
  return np.unique(assets_lib.load_assets().parts['skin'].ref[:, 0])


@functools.lru_cache(maxsize=1)
def _mirrored() -> dict[int, int]:
  """The vertex on the other side of the face."""
  at = assets_lib.load_assets().vertices
  skin = skin_vertices()

  def other(vertex):
    gaps = np.linalg.norm(at[skin] - at[vertex] * np.float32([-1, 1, 1]), axis=1)
    return int(skin[gaps.argmin()])

  return {vertex: other(vertex) for vertex in (_EAR_TOP, _LOBE)}


def landmarks(vertices: np.ndarray) -> Landmarks:
  """Finds the landmarks of a person's neutral mesh (n, 3)."""
  assets, pair = assets_lib.load_assets(), _mirrored()
  at = np.asarray(vertices, np.float64)
  balls = [at[assets.joints[k]] for k in ('left_ball', 'right_ball')]
  eyes = np.stack([(b.min(0) + b.max(0)) / 2 for b in balls])
  radii = [
    np.linalg.norm(b - c, axis=1).mean() for b, c in zip(balls, eyes, strict=True)
  ]
  between = [
    assets.vertices[assets.joints[k]].mean(0) for k in ('left_eye', 'right_eye')
  ]
  scale = float(
    np.linalg.norm(eyes[0] - eyes[1]) / np.linalg.norm(between[0] - between[1])
  )
  # A hat's edge clears the eyes of people with very low brows, too.
  brow = at[_BROW].copy()
  brow[1] = max(brow[1], eyes[:, 1].max() + LEAST_BROW * scale)
  return Landmarks(
    eyes=eyes,
    eye_radius=float(np.mean(radii)),
    ear_tops=at[[_EAR_TOP, pair[_EAR_TOP]]],
    lobes=at[[_LOBE, pair[_LOBE]]],
    brow=brow,
    crown=at[_CROWN],
    chin=at[_CHIN],
    scale=scale,
  )
