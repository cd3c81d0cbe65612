"""What a work of art is made on: paper, canvas, strokes and cracks of a whole clip."""

import cv2
import numpy as np

from data_pipelines.synthetic.filming.canvas import noise, sharpen
from data_pipelines.synthetic.filming.strokes import LUMA
from data_pipelines.synthetic.filming.style import Style


def _cracks(rng, shape) -> np.ndarray:
  """(h, w) 0..1, 1 on a net of fine cracks: borders of cells around random points."""
  h, w = shape
  points = rng.random((90, 2))
  seeds = np.full((h, w), 255, np.uint8)
  at = np.minimum((points * (h, w)).astype(int), (h - 1, w - 1))
  seeds[at[:, 0], at[:, 1]] = 0
  _, labels = cv2.distanceTransformWithLabels(
    seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
  )
  labels = labels.astype(np.float32)
  edge = (labels != np.roll(labels, 1, 0)) | (labels != np.roll(labels, 1, 1))
  wander = noise(rng, shape, (12, 12), 3)
  y, x = np.mgrid[0:h, 0:w].astype(np.float32)
  shift = (wander - 0.5) * 0.05 * h
  net = cv2.remap(edge.astype(np.float32), x + shift, y - shift, cv2.INTER_LINEAR)
  return net * sharpen(noise(rng, shape, (4, 4), 3), 0.4, 0.65)


class Ground:
  """What belongs to the clip and not to a frame: paper, canvas, strokes, cracks."""

  def __init__(self, style: Style, first: np.ndarray, rng: np.random.Generator):
    side = first.shape[0]
    shape = (side, side)
    luma = cv2.transform(first.astype(np.float32) / 255, LUMA)
    self.low, self.high = np.percentile(luma, (1, 97)).astype(np.float32)
    self.high = max(self.high, self.low + np.float32(0.2))
    self.style, self.side = style, side
    self.unit = side / 256 * style.scale  # a pixel at 256 pixels
    self.paper = noise(rng, shape, (64, 64), 3, 0.8) - 0.5
    self.blotch = noise(rng, shape, (3, 3), 5, 0.6) - 0.5
    v, u = (np.mgrid[0:side, 0:side].astype(np.float32) + 0.5) / side
    count = rng.uniform(55, 75)
    self.weave = 0.5 * np.sin(2 * np.pi * count * u) * np.sin(2 * np.pi * count * v)
    # bristles: noise that runs along a direction that wanders over the canvas
    long = noise(rng, shape, (128, 10), 3, 0.7) - 0.5
    across = noise(rng, shape, (10, 128), 3, 0.7) - 0.5
    slant = cv2.warpAffine(
      long,
      cv2.getRotationMatrix2D((side / 2, side / 2), 45, 1.5),
      (side, side),
      borderMode=cv2.BORDER_REFLECT,
    )
    where = noise(rng, shape, (6, 6), 3)
    mixed = np.where(where < 0.45, long, np.where(where < 0.55, slant, across))
    self.bristles = cv2.GaussianBlur(mixed, (0, 0), max(0.4 * self.unit, 0.3))
    angle = rng.uniform(0.15, 0.35) * np.pi
    period = rng.uniform(3.2, 4.5) * style.scale / 256
    wave = (self.blotch * 0.03).astype(np.float32)
    self.hatch = [
      np.sin(2 * np.pi * ((u + wave) * np.cos(a) + (v + wave) * np.sin(a)) / period)
      for a in (angle, angle + 0.5 * np.pi, angle + 0.25 * np.pi)
    ]
    bend = 0.12 * np.sin(np.pi * u) + wave
    self.furrows = np.sin(2 * np.pi * (v + bend) * 256 / (2.9 * style.scale))
    self.dots = np.cos(np.pi * (u + v) * 256 / 6) * np.cos(np.pi * (u - v) * 256 / 6)
    self.cracks = _cracks(rng, shape) if style.kind in ('oil', 'fresco') else None
    self.aged = rng.random() < 0.5
    self.edge = 1 - 0.5 * ((u - 0.5) ** 2 + (v - 0.5) ** 2)

  def stretch(self, value: np.ndarray) -> np.ndarray:
    """Uses the whole range of tones, by the first frame's black and white."""
    return np.clip((value - self.low) / (self.high - self.low), 0, 1)
