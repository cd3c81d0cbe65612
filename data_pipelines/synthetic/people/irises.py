"""Paints eyeballs: sclera with veins, limbus, iris with fibres and crypts, pupil."""

import cv2
import numpy as np

from data_pipelines.synthetic import assets as assets_lib

IRIS_ANGLE, PUPIL_ANGLE = 24.0, 8.5  # degrees seen from the centre of the eyeball
_TURNS, _RINGS = 192, 32  # of the polar map of the iris


def _polar_noise(rng, along, across):
  """Noise on the iris's polar map, (_RINGS, _TURNS), unit variance, closed in turn."""
  field = rng.standard_normal((_RINGS, _TURNS), np.float32)
  field = np.concatenate([field[:, -24:], field, field[:, :24]], 1)
  field = cv2.GaussianBlur(field, (0, 0), sigmaX=across, sigmaY=along)[:, 24:-24]
  return (field - field.mean()) / field.std()


def _iris_map(rng, iris, age):
  """The iris unrolled: (_RINGS, _TURNS, 3) sRGB, from the pupil to the limbus."""
  out = np.linspace(0, 1, _RINGS, dtype=np.float32)[:, None]
  light = float(np.mean(iris))
  # Radial fibres, wavy ones over fine ones; plain in dark eyes.
  fibres = 0.6 * _polar_noise(rng, 8, 0.8) + 0.5 * _polar_noise(rng, 5, 2.0)
  strength = rng.uniform(0.1, 0.22) * (0.5 + 1.2 * light)
  shade = 1.1 + strength * fibres * (0.4 + 0.6 * np.sin(np.pi * out))
  # The collarette: a frilly ring, bright at its edge, dark crypts outside it.
  frill = rng.uniform(0.25, 0.42) + 0.05 * _polar_noise(rng, 20, 3.0)
  edge = np.exp(-(((out - frill) / 0.08) ** 2))
  shade += rng.uniform(0.05, 0.22) * edge
  crypts = np.clip(_polar_noise(rng, 3.0, 2.5) - 1.0, 0, 1)
  crypts = crypts * np.exp(-(((out - frill - 0.15) / 0.16) ** 2))
  shade -= rng.uniform(0.1, 0.6) * crypts
  furrows = np.sin(2 * np.pi * (2.2 * out + 0.05 * fibres) + rng.uniform(0, 6))
  shade += 0.04 * furrows * (out > 0.5)

  # Inside the collarette light irises are often yellower, sometimes quite brown.
  inside = np.clip((frill + 0.08 - out) / 0.16, 0, 1)[..., None]
  warm = np.array([1.15, 0.95, 0.7]) if light > 0.25 else np.array([1.1, 0.95, 0.9])
  if light > 0.3 and rng.random() < 0.12:  # central heterochromia
    warm = np.array([1.25, 0.75, 0.4])
  amount = rng.uniform(0, 0.8)
  colour = iris * (1 + amount * inside * (warm - 1))
  if rng.random() < 0.015:  # a sector of another colour
    width, at = rng.uniform(0.3, 0.8), rng.uniform(0, 2 * np.pi)
    turn = 2 * np.pi * np.arange(_TURNS) / _TURNS
    away = np.abs(np.angle(np.exp(1j * (turn - at))))
    sector = np.clip((width - away) / 0.15, 0, 1)[None, :, None]
    other = np.array([0.3, 0.18, 0.08]) if light > 0.25 else np.array([0.4, 0.45, 0.45])
    colour = colour * (1 - sector) + other * sector

  ring = rng.uniform(0.45, 0.85) * (1 - 0.4 * age)  # fades with age
  width = rng.uniform(0.12, 0.28)
  rim = 1 - ring * np.clip((out - 1 + width) / width, 0, 1) ** 2
  colour = colour * (np.clip(shade, 0.3, 1.7) * rim)[..., None]
  arcus = np.clip((age - 0.55) * rng.uniform(0, 2), 0, 0.6)  # a grey arc of old age
  grey = arcus * np.exp(-(((out - 0.93) / 0.06) ** 2))[..., None]
  return colour * (1 - grey) + np.float32([0.62, 0.64, 0.66]) * grey


def _veins(rng, side, redness):
  """Blood vessels of the sclera, from the corners inward: (side, side) in 0..1."""
  fine = np.zeros((side, side), np.uint8)
  scale = 0.5 * side / assets_lib.EYE_ANGLE
  lines = []
  for _ in range(int(4 + 22 * redness)):
    start = rng.choice([0.0, np.pi]) + rng.normal(0, 0.4)
    length = rng.uniform(18, 40)
    angle = np.linspace(80, 80 - length, 16)
    turn = start + np.cumsum(rng.normal(0, 0.03, 16)) + rng.normal(0, 0.1)
    xy = angle[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    lines.append(np.round(16 * (0.5 * side + scale * xy)).astype(np.int32))
  cv2.polylines(fine, lines, False, 255, 1, cv2.LINE_AA, 4)
  return fine.astype(np.float32) / 255


def paint_eye(
  rng: np.random.Generator, iris: np.ndarray, side: int = 256, *, age: float = 0.0
) -> np.ndarray:
  """An eyeball's texture: sclera, limbus, iris, pupil.

  The distance from the centre is the angle from the pupil, `EYE_ANGLE` at the rim.

  Args:
    rng: the person's own stream for this.
    iris: (3,) sRGB 0..1.
    side: of the texture.
    age: 0..1; old scleras are yellower, old pupils smaller.

  Returns:
    `(side, side, 3)` uint8 sRGB.
  """
  y, x = (np.mgrid[0:side, 0:side].astype(np.float32) + 0.5) / side - 0.5
  angle = 2 * assets_lib.EYE_ANGLE * np.hypot(x, y)  # degrees
  yellow = np.clip(rng.normal(0.25 + 0.4 * age, 0.2), 0, 1)
  white = np.array([0.9, 0.88, 0.86]) * rng.uniform(0.9, 1.0)
  white = (white * (1 - yellow * np.array([0.02, 0.06, 0.17]))).astype(np.float32)
  redness = float(np.clip(rng.gamma(1.5, 0.2), 0, 1))
  red = np.clip((angle - 32) / 45, 0, 1) * np.float32(0.75 + 0.4 * redness)
  red = red + _veins(rng, side, redness) * np.float32(0.35 + 0.5 * redness)
  image = white * (1 - red[..., None] * np.float32([0.16, 0.36, 0.36]))

  pupil = PUPIL_ANGLE * rng.uniform(0.75, 1.25) * (1 - 0.15 * age)
  unrolled = _iris_map(rng, np.asarray(iris, float), age).astype(np.float32)
  half = int(side * (IRIS_ANGLE + 3) / (2 * assets_lib.EYE_ANGLE)) + 1
  box = slice(side // 2 - half, side // 2 + half)
  near = angle[box, box]
  turn = np.arctan2(y[box, box], x[box, box])
  closed = np.concatenate([unrolled, unrolled[:, :1]], 1)
  column = (turn / (2 * np.pi) % 1) * np.float32(_TURNS)
  row = (near - pupil) / np.float32(IRIS_ANGLE - pupil) * (_RINGS - 1)
  colour = cv2.remap(
    closed, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
  )

  def share(edge, soft):
    return np.clip((edge - near) / np.float32(soft) + 0.5, 0, 1)[..., None]

  limbus, hole = share(IRIS_ANGLE, rng.uniform(1.8, 3.2)), share(pupil, 1.5)
  patch = image[box, box] * (1 - limbus) + colour * limbus
  image[box, box] = patch * (1 - hole) + np.float32(0.015) * hole
  return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
