"""A picture in linear light that shapes are drawn on: polygons, discs, warped planes.

Coordinates do not depend on the resolution: one unit is the height of the canvas, u
runs to the right from 0, v runs down from 0. Colours are linear and may exceed 1, so
that lamps stay bright discs when the lens throws them out of focus.
"""

from typing import NamedTuple

import cv2
import numpy as np


class View(NamedTuple):
  """A pinhole that looks along +z: x right, y up, z away from the camera."""

  gain: float  # 1 / (2 tan(fov / 2))
  horizon: float  # v of the horizon

  def project(self, points) -> np.ndarray:
    """(n, 3) points with z > 0 to (n, 2) canvas coordinates of a square canvas."""
    x, y, z = np.asarray(points, np.float64).T
    return np.stack([0.5 + self.gain * x / z, self.horizon - self.gain * y / z], 1)


def noise(
  rng: np.random.Generator, shape: tuple[int, int], first=(2, 2), octaves=6, gain=0.5
) -> np.ndarray:
  """Fractal value noise (h, w) float32, mean about 0.5, in 0..1.

  The draw depends on `first` (cells down and across of the coarsest octave) and on
  `octaves`, not on `shape`: more pixels show the same noise.
  """
  total = np.zeros(shape, np.float32)
  weight, sum_of_weights = 1.0, 0.0
  rows, columns = first
  for _ in range(octaves):
    grid = rng.random((rows + 1, columns + 1), np.float32)
    octave = cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC)
    total += np.float32(weight) * octave
    sum_of_weights += weight
    weight *= gain
    rows, columns = min(2 * rows, 128), min(2 * columns, 128)
  return np.clip(total / np.float32(sum_of_weights), 0, 1)


def sharpen(values: np.ndarray, low: float, high: float) -> np.ndarray:
  """A smooth step from 0 at `low` to 1 at `high`."""
  t = np.clip((values - low) / (high - low), 0, 1)
  return t * t * (3 - 2 * t)


def colour(rng, hue, saturation, value) -> np.ndarray:
  """A linear colour from ranges of hue (turns, may wrap), saturation and sRGB value."""
  h = rng.uniform(*hue) % 1 * 6
  s, v = rng.uniform(*saturation), rng.uniform(*value)
  wheel = np.clip(np.abs((h + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
  return linear(v * (1 - s * (1 - wheel)))


def linear(srgb) -> np.ndarray:
  """sRGB 0..1 to linear light, by a plain power."""
  return (np.asarray(srgb, np.float32) ** np.float32(2.2)).astype(np.float32)


class Canvas:
  """A canvas `width` units wide and one unit high, `rows` pixels high."""

  def __init__(self, rows: int, width: float = 1.0):
    self.rows, self.columns = rows, max(round(rows * width), 1)
    self.width = width
    self.light = np.zeros((self.rows, self.columns, 3), np.float32)

  @property
  def shape(self) -> tuple[int, int]:
    return self.rows, self.columns

  def grid(self) -> tuple[np.ndarray, np.ndarray]:
    """u (1, w) and v (h, 1) of the pixel centres."""
    u = (np.arange(self.columns, dtype=np.float32) + 0.5) / self.rows
    v = (np.arange(self.rows, dtype=np.float32) + 0.5) / self.rows
    return u[None], v[:, None]

  def fill(self, light) -> None:
    """A colour, or an image of the canvas' shape."""
    self.light[:] = light

  def blend(self, mask: np.ndarray, light) -> None:
    """light (3,) or (h, w, 3) over the canvas where mask (h, w) is 1."""
    mask = mask[..., None].astype(np.float32)
    self.light += mask * (np.asarray(light, np.float32) - self.light)

  def _mask(self, points):
    """(rows, columns) slices and the (h, w) share 0..1 of a polygon there, or None."""
    at = np.asarray(points, np.float64) * self.rows
    low = np.floor(at.min(0)).astype(int) - 1
    high = np.ceil(at.max(0)).astype(int) + 1
    low = np.maximum(low, 0)
    high = np.minimum(high, (self.columns, self.rows))
    if (high <= low).any():
      return None
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    fixed = np.round((np.clip(at, -4e3, 8e3) - 0.5 - low) * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
    where = np.s_[low[1] : high[1], low[0] : high[0]]
    return where, mask.astype(np.float32)[..., None] * np.float32(1 / 255)

  def polygon(self, points, light, opacity: float = 1.0) -> None:
    """Fills a polygon (n, 2) with a colour."""
    found = self._mask(points)
    if found is not None:
      where, mask = found
      region = self.light[where]
      region += mask * np.float32(opacity) * (np.asarray(light, np.float32) - region)

  def darken(self, points, factor: float) -> None:
    """Multiplies what is in a polygon: a shadow."""
    found = self._mask(points)
    if found is not None:
      where, mask = found
      self.light[where] *= 1 + mask * np.float32(factor - 1)

  def box(self, u0, v0, u1, v1, light, opacity: float = 1.0) -> None:
    """An upright rectangle, its edges on whole pixels: ten times faster."""
    c0, r0, c1, r1 = (max(round(x * self.rows), 0) for x in (u0, v0, u1, v1))
    region = self.light[r0 : max(r1, r0 + 1), c0 : max(c1, c0 + 1)]
    if opacity == 1:
      region[:] = light
    else:
      region += np.float32(opacity) * (np.asarray(light, np.float32) - region)

  def ellipse(self, u, v, radius_u, radius_v, light, opacity=1.0, turn=0.0) -> None:
    """A filled ellipse; `turn` in radians."""
    self.polygon(ellipse(u, v, radius_u, radius_v, turn), light, opacity)

  def glow(self, u, v, radius, light) -> None:
    """Adds a soft halo."""
    far = 3.2 * radius  # further out there is less than 1 % of it
    c0, r0 = (max(round((x - far) * self.rows), 0) for x in (u, v))
    c1, r1 = (max(round((x + far) * self.rows), 0) for x in (u, v))
    x, y = self.grid()
    x, y = x[:, c0:c1], y[r0:r1]
    near = np.exp(-((x - u) ** 2) / (2 * radius**2))
    near = near * np.exp(-((y - v) ** 2) / (2 * radius**2))
    self.light[r0:r1, c0:c1] += near[..., None] * np.asarray(light, np.float32)

  def warp(self, texture: np.ndarray, corners, opacity: float = 1.0) -> None:
    """Draws a texture (h, w, 3) on a quad: corners (4, 2) clockwise from top left."""
    found = self._mask(corners)
    if found is None:
      return
    where, mask = found
    h, w = texture.shape[:2]
    source = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32) - 0.5
    origin = np.array([where[1].start, where[0].start])
    target = (np.asarray(corners) * self.rows - 0.5 - origin).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    image = cv2.warpPerspective(
      np.ascontiguousarray(texture, np.float32),
      matrix,
      (mask.shape[1], mask.shape[0]),
      flags=cv2.INTER_LINEAR,
      borderMode=cv2.BORDER_REPLICATE,
    )
    region = self.light[where]
    region += mask * np.float32(opacity) * (image - region)


def ellipse(u, v, radius_u, radius_v, turn=0.0) -> np.ndarray:
  """(20, 2) outline."""
  angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
  x, y = radius_u * np.cos(angle), radius_v * np.sin(angle)
  c, s = np.cos(turn), np.sin(turn)
  return np.stack([u + c * x - s * y, v + s * x + c * y], 1)


def disc_kernel(radius: float) -> np.ndarray:
  """The picture of a point out of focus: a disc of this radius in pixels, sum 1."""
  half = int(np.ceil(radius + 0.5))
  y, x = np.mgrid[-half : half + 1, -half : half + 1]
  kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
  return kernel / kernel.sum()


def defocus(light: np.ndarray, radius: float) -> np.ndarray:
  """Blurs linear light (h, w, 3) with a disc of `radius` shares of the height."""
  rows, columns = light.shape[:2]
  pixels = radius * rows
  if pixels < 0.3:
    return light
  shrink = 1
  while pixels / shrink > 8:  # a wide disc needs few pixels
    shrink *= 2
  if shrink > 1:
    small = (columns // shrink, rows // shrink)
    light = cv2.resize(light, small, interpolation=cv2.INTER_AREA)
  light = cv2.filter2D(
    light, -1, disc_kernel(pixels / shrink), borderType=cv2.BORDER_REFLECT
  )
  if shrink > 1:
    light = cv2.resize(light, (columns, rows), interpolation=cv2.INTER_CUBIC)
  return np.maximum(light, 0)
