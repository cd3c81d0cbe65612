"""What surrounds a rendered head: a rig of lights and a picture behind it."""

import dataclasses

import cv2
import numpy as np


@dataclasses.dataclass(frozen=True)
class Light:
  """Three directional lights (key, fill, rim) and a sky/ground hemisphere.

  Only the key casts shadows. Colours are linear and may exceed 1.
  """

  directions: np.ndarray  # (3, 3) float32, unit vectors towards the light
  colours: np.ndarray  # (3, 3) float32
  sky: np.ndarray  # (3,) float32
  ground: np.ndarray  # (3,) float32


def _unit(*xyz):
  vector = np.array(xyz, np.float64)
  return vector / np.linalg.norm(vector)


def _light(directions, colours, sky, ground):
  as_float = (np.asarray(x, np.float32) for x in (directions, colours, sky, ground))
  return Light(*as_float)


def studio_light() -> Light:
  """A fixed, soft rig: for tests, templates and comparisons."""
  directions = [_unit(0.5, 0.55, 1.0), _unit(-0.6, 0.1, 0.8), _unit(0.8, 0.4, -0.8)]
  colours = np.array([1.1, 0.35, 0.3])[:, None] * np.ones(3)
  return _light(directions, colours, np.full(3, 0.35), np.array([1, 0.9, 0.8]) * 0.16)


def sample_light(rng: np.random.Generator) -> Light:
  """A random rig: key in front and above, fill opposite, rim behind, warm or cool."""
  key = _unit(rng.normal(0, 0.8), rng.uniform(0.1, 0.9), 1.0)
  fill = _unit(-key[0] + rng.normal(0, 0.3), 0.1, 0.8)
  rim = _unit(rng.choice([-1, 1]) * 0.8, 0.4, -0.8)
  warm = rng.normal(0, 0.12)
  tone = np.array([1 + warm, 1, 1 - warm])
  colours = [
    tone * rng.uniform(0.7, 1.5),
    tone[::-1] * rng.uniform(0.1, 0.5),
    np.ones(3) * rng.uniform(0, 0.6),
  ]
  sky = np.array([1 - warm / 2, 1, 1 + warm / 2]) * rng.uniform(0.2, 0.5)
  ground = np.array([1, 0.9, 0.8]) * rng.uniform(0.08, 0.25)
  return _light([key, fill, rim], colours, sky, ground)


def sample_background(rng: np.random.Generator, size: int) -> np.ndarray:
  """A blurred, out-of-focus backdrop: (size, size, 3) uint8 RGB.

  A gradient alone, or a gradient with boxes and discs of other colours, blurred as
  a lens would. Colours are muted half of the time, as rooms are. The draw does not
  depend on `size`.
  """
  side = 128
  muted = rng.random() < 0.5

  def colour():
    value = rng.uniform(0.03, 0.95, 3)
    return value.mean() + (value - value.mean()) * (0.3 if muted else 1.0)

  y, x = np.mgrid[0:side, 0:side] / side
  angle = rng.uniform(0, 2 * np.pi)
  share = np.clip((np.cos(angle) * x + np.sin(angle) * y + 1) / 2, 0, 1)[..., None]
  image = colour() * (1 - share) + colour() * share
  if rng.random() < 0.67:
    for _ in range(rng.integers(4, 16)):
      w, h = rng.uniform(0.05, 0.5, 2)
      px, py = rng.uniform(-0.1, 1, 2)
      paint, opacity = colour(), rng.uniform(0.3, 1)
      if rng.random() < 0.5:
        mask = (abs(x - px) < w / 2) & (abs(y - py) < h / 2)
      else:
        mask = (x - px) ** 2 + (y - py) ** 2 < (w / 3) ** 2
      image = np.where(mask[..., None], image * (1 - opacity) + paint * opacity, image)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(1.0, 7.0))
  seed = int(rng.integers(2**31))
  image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
  image = image + np.random.default_rng(seed).normal(0, 0.008, image.shape)
  return np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)
