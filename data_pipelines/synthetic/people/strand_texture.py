"""Textures of strand cards and of the short hair on the scalp, painted hair by hair.

Only brightness and alpha matter: the colour is the material's tint. A card's texture
has `TIERS` x `VARIANTS` columns: tiers go from the dark hair near the skin to the
bright hair of the outer layer. Rows run from the root (top) to the tip (bottom).
"""

import functools

import cv2
import numpy as np

TIERS, VARIANTS = 3, 4
COLUMNS = TIERS * VARIANTS
_WIDTH, _HEIGHT = 64, 256

# Kind: (sideways amplitude of a hair in card widths, waves along the card, hairs,
# share of hairs that end early, clumping towards the tip).
_KINDS = {
  'straight': (0.01, 0.7, 90, 0.6, 0.2),
  'wavy': (0.04, 2.0, 90, 0.6, 0.35),
  'curly': (0.12, 4.5, 70, 0.6, 0.4),
  'short': (0.02, 0.5, 44, 0.9, 0.5),
}
# How bright hair of each tier is, in sRGB bytes; the shader maps 100 to the tint.
_TIER_LEVEL = (74, 88, 100)
_CONTRAST = 0.32  # standard deviation of the logarithm of a hair's brightness


def _column(rng, kind, level, soft):
  """One column: brightness and alpha, (h, w) float32 0..255 each."""
  amplitude, waves, hairs, early, clump = _KINDS[kind]
  if soft:
    hairs = int(hairs * 0.4)
  over = 2  # painted larger, then shrunk
  h, w = _HEIGHT * over, _WIDTH * over
  bright = np.full((h, w), level * 0.7, np.float32)
  alpha = np.zeros((h, w), np.float32)
  t = np.linspace(0, 1, 48)
  locks = np.sort(rng.uniform(0.15, 0.85, 4))
  shared = rng.uniform(0, 2 * np.pi)
  order = np.argsort(rng.random(hairs))
  for j in order:
    start = 0.04 + 0.92 * (j + rng.random()) / hairs
    lock = locks[np.abs(locks - start).argmin()]
    x = start + (lock - start) * clump * t**1.5 * rng.uniform(0.3, 1.4)
    phase = shared + rng.normal(0, 0.5)
    x = x + amplitude * np.sin(2 * np.pi * waves * t + phase) * np.minimum(1, 3 * t)
    x = x + rng.normal(0, 0.02) * t
    # Hair at the card's sides is shorter, so that its tip is ragged, not square.
    longest = 1.0 - 0.45 * abs(2 * start - 1) ** 2 * rng.random()
    end = longest * (
      rng.uniform(0.9, 1.0) if rng.random() > early else rng.uniform(0.45, 0.95)
    )
    kept = t <= end
    points = np.stack([x[kept] * w, t[kept] * h], 1)
    points = np.round(points * 8).astype(np.int32)
    tone = level * np.exp(rng.normal(0, _CONTRAST))
    thick = int(rng.integers(1, 5))
    cv2.polylines(bright, [points], False, float(tone), thick, cv2.LINE_AA, 3)
    cv2.polylines(alpha, [points], False, 255.0, thick, cv2.LINE_AA, 3)
  size = (_WIDTH, _HEIGHT)
  bright = cv2.resize(bright, size, interpolation=cv2.INTER_AREA)
  alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
  v = np.linspace(0, 1, _HEIGHT)[:, None]
  bright = bright * np.interp(v, [0, 0.12, 0.5, 1], [0.7, 0.92, 1.0, 1.04])
  if soft:
    return bright, alpha * np.interp(v, [0, 0.08, 0.7, 1], [0.0, 0.85, 0.8, 0.3])
  return bright, np.clip(alpha * 1.25, 0, 255)


def _coil_column(rng, level):
  """Four squares of tight coils, each a round tangle with a ragged rim."""
  w = _WIDTH
  bright = np.full((4 * w, w), level * 0.6, np.float32)
  alpha = np.zeros((4 * w, w), np.float32)
  for square in range(4):
    for _ in range(170):
      away, turn = 0.5 * w * rng.beta(1.3, 1.5), rng.uniform(0, 2 * np.pi)
      x = int(w / 2 + away * np.cos(turn))
      y = int(w / 2 + away * np.sin(turn))
      radius = int(rng.integers(2, 6))
      y = min(max(y, radius + 2), w - radius - 3) + square * w
      tone = float(level * np.exp(rng.normal(-0.05, 0.3)))
      axes = (radius, radius + int(rng.integers(0, 3)))
      start, length = rng.uniform(0, 360), rng.uniform(140, 330)
      arc = ((x, y), axes, float(rng.uniform(0, 360)), start, start + length)
      cv2.ellipse(bright, *arc, tone, 1, cv2.LINE_AA)
      cv2.ellipse(alpha, *arc, 235.0, 1 + int(away < 0.25 * w), cv2.LINE_AA)
  return bright, np.clip(alpha * 1.2, 0, 255)


def _twist_column(rng, level):
  """One thick, twisted lock: solid, rounded, with slanting turns."""
  y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH].astype(np.float32)
  x = x / _WIDTH * 2 - 1
  turns = np.sin(2 * np.pi * (y / 22 + 0.35 * x) + rng.uniform(0, 6.28))
  edge = 0.72 + 0.1 * turns + 0.05 * np.sin(y / 9 + rng.uniform(0, 6.28))
  end = np.clip((0.985 * _HEIGHT - y) / 14, 0.2, 1)
  alpha = np.clip((edge * np.sqrt(end) - np.abs(x)) * 14 + 0.5, 0, 1) * 255
  round_ = np.sqrt(np.clip(1 - (x / 0.95) ** 2, 0.05, 1))
  grain = cv2.GaussianBlur(rng.normal(0, 1, x.shape).astype(np.float32), (0, 0), 1.0)
  bright = level * round_ * (1 + 0.3 * turns) * np.exp(0.6 * grain)
  return bright, alpha


@functools.cache
def paint_cards(kind: str, soft: bool = False) -> np.ndarray:
  """The texture of cards: (256, 768, 4) uint8, read-only; painted once per process.

  Args:
    kind: `straight`, `wavy`, `curly`, `short`, `coily` or `twist` (locs).
    soft: fewer hairs with soft ends, to be blended instead of cut out.
  """
  rng = np.random.default_rng([0x57A, *kind.encode()])
  out = np.empty((_HEIGHT, _WIDTH * COLUMNS, 4), np.uint8)
  for tier, level in enumerate(_TIER_LEVEL):
    for variant in range(VARIANTS):
      if kind == 'coily':
        bright, alpha = _coil_column(rng, level)
      elif kind == 'twist':
        bright, alpha = _twist_column(rng, level)
      else:
        bright, alpha = _column(rng, kind, level, soft)
      at = (tier * VARIANTS + variant) * _WIDTH
      out[:, at : at + _WIDTH, :3] = np.clip(bright, 0, 255)[..., None]
      out[:, at : at + _WIDTH, 3] = np.clip(alpha, 0, 255)
  out.setflags(write=False)
  return out


@functools.cache
def paint_coils() -> np.ndarray:
  """Coils without gaps, for the body of an afro: (256, 256, 4) uint8, read-only."""
  rng = np.random.default_rng(0xC011)
  tone = np.full((3 * 256, 3 * 256), 48, np.float32)
  for x, y in rng.integers(0, 256, (2600, 2)):
    level = float(84 * np.exp(rng.normal(-0.1, 0.35)))
    axes, turn = (int(rng.integers(2, 6)), int(rng.integers(2, 8))), rng.uniform(0, 360)
    arc = (axes, turn, 0, float(rng.uniform(140, 330)), level, 1, cv2.LINE_AA)
    for i in range(3):
      for j in range(3):
        cv2.ellipse(tone, (int(x) + 256 * i, int(y) + 256 * j), *arc)
  out = np.full((256, 256, 4), 255, np.uint8)
  out[..., :3] = np.clip(tone[256:512, 256:512], 0, 255)[..., None]
  out.setflags(write=False)
  return out


@functools.cache
def paint_rope() -> np.ndarray:
  """Hair without gaps, for braids: (128, 256, 4) uint8, read-only; wraps round."""
  rng = np.random.default_rng(0x209E)
  grain = np.tile(rng.normal(0, 1, (128, 256)).astype(np.float32), (3, 3))
  fine = cv2.GaussianBlur(grain, (0, 0), 1.0, sigmaY=9.0)[128:256, 256:512]
  out = np.full((128, 256, 4), 255, np.uint8)
  tone = 88 * np.exp(0.3 * fine / fine.std())
  out[..., :3] = np.clip(tone, 0, 255)[..., None]
  out.setflags(write=False)
  return out


CAP_LOW, CAP_HIGH = -9.0, 58.0  # degrees over the hairline at v = 0 and v = 1


@functools.cache
def paint_cap(kind: str, opacity: int) -> np.ndarray:
  """Short hair lying on the scalp: (256, 512, 4) uint8, read-only.

  The hairline is at v = 9 / 67; below it single hairs thin out. Wraps round in u.

  Args:
    kind: `straight` (streaks away from the crown) or `coily` (grain).
    opacity: of full growth, percent.
  """
  rng = np.random.default_rng([0xCA9, *kind.encode()])
  h, w = 256, 512
  grain = rng.normal(0, 1, (h, w)).astype(np.float32)
  wide = np.concatenate([grain] * 3, 1)
  tall = (0.8, 5.0) if kind == 'straight' else (1.0, 1.0)
  fine = cv2.GaussianBlur(wide, (0, 0), tall[0], sigmaY=tall[1])[:, w : 2 * w]
  soft = cv2.GaussianBlur(wide, (0, 0), 4.0, sigmaY=9.0)[:, w : 2 * w]
  fine, soft = fine / fine.std(), soft / soft.std()
  v = np.linspace(CAP_HIGH, CAP_LOW, h)[:, None]
  edge = v + 0.9 * soft + 0.8 * fine
  cover = np.clip((edge + 3.0) / 6.0, 0, 1) ** 1.2
  cover = cover * (1 + 0.1 * fine) * (opacity / 100)
  out = np.empty((h, w, 4), np.uint8)
  out[..., :3] = np.clip(72 * np.exp(0.22 * fine + 0.08 * soft), 0, 255)[..., None]
  out[..., 3] = np.clip(cover * 255, 0, 255)
  out.setflags(write=False)
  return out
