"""A small net that finds 68 landmarks and the head's pose, and its training.

It is trained on rendered faces alone, from nothing, under heavy jitter of place, scale,
turn, colour, sharpness and occlusion. What it does on photographs then tells how far
the corpus is from them. The settings are fixed, so that two corpora can be compared.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments.gap.crops import MARKS, SIDE, Faces
from vasa_jax.types import Array

INPUT = 96
BATCH = 64
EPOCHS = 12
LEARNING_RATE = 2e-3
POSE_SCALE = 30.0  # degrees
_MARK_SCALE = 0.1  # of the crop


class Regressor(nn.Module):
  """`(b, 96, 96, 3)` in [0, 1] to `(b, 68 * 2 + 3)`: marks in crop sides, pose."""

  widths: tuple[int, ...] = (16, 32, 64, 96, 128)

  @nn.compact
  def __call__(self, x: Array) -> Array:
    x = (x - 0.45) / 0.25
    for i, width in enumerate(self.widths):
      x = nn.Conv(width, (3, 3), strides=(2, 2), name=f'down{i}')(x)
      x = nn.relu(nn.GroupNorm(8, name=f'norm{i}')(x))
      if i:
        y = nn.Conv(width, (3, 3), name=f'same{i}')(x)
        x = x + nn.relu(nn.GroupNorm(8, name=f'same_norm{i}')(y))
    # Place matters: the last 3 x 3 cells are kept apart.
    x = nn.relu(nn.Dense(192, name='hidden')(x.reshape(len(x), -1)))
    out = nn.Dense(2 * len(MARKS) + 3, name='out')(x)
    return out * _MARK_SCALE


def targets(marks: np.ndarray, pose: np.ndarray) -> np.ndarray:
  """Marks `(b, 68, 2)` in crop sides and pose in degrees as one row for the net."""
  row = [(marks - 0.5).reshape(len(marks), -1), pose / POSE_SCALE * _MARK_SCALE]
  return np.concatenate(row, 1).astype(np.float32)


def jitter(faces: Faces, index: np.ndarray, rng: np.random.Generator):
  """A training batch: pictures `(b, 96, 96, 3)` uint8 and `targets`."""
  import cv2

  pictures = np.empty((len(index), INPUT, INPUT, 3), np.uint8)
  marks = np.empty((len(index), len(MARKS), 2))
  pose = faces.pose[index].astype(float)
  for row, i in enumerate(index):
    matrix = _random_view(rng)
    turned = rng.random() < 0.5
    picture, points = faces.pictures[i], faces.marks[i]
    pose[row, 2] += np.degrees(np.arctan2(matrix[0, 1], matrix[0, 0]))
    picture = cv2.warpAffine(
      picture, matrix, (INPUT, INPUT), flags=cv2.INTER_LINEAR,
      borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    points = (points @ matrix[:, :2].T + matrix[:, 2]) / INPUT
    if turned:
      picture, points = picture[:, ::-1], points[_MIRROR] * (-1, 1) + (1, 0)
      pose[row] *= (-1, 1, -1)
    pictures[row] = _recoloured(picture, rng)
    marks[row] = points
  return pictures, targets(marks, pose)


def plain(faces: Faces) -> np.ndarray:
  """`(n, 96, 96, 3)` uint8: the middle of every crop, as the net is asked."""
  edge = (SIDE - INPUT) // 2
  return faces.pictures[:, edge : edge + INPUT, edge : edge + INPUT]


def _random_view(rng: np.random.Generator) -> np.ndarray:
  """`(2, 3)`: turned up to 25 degrees, scaled by .8 to 1.25, shifted up to a tenth."""
  angle, scale = rng.uniform(-0.44, 0.44), np.exp(rng.uniform(-0.22, 0.22))
  c, s = scale * np.cos(angle), scale * np.sin(angle)
  turn = np.array([[c, s], [-s, c]])
  shift = INPUT / 2 + rng.uniform(-0.1, 0.1, 2) * INPUT - turn @ np.full(2, SIDE / 2)
  return np.concatenate([turn, shift[:, None]], 1)


def _recoloured(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """Exposure, tint, contrast, grey, blur, coarse pixels, noise, a hidden patch."""
  import cv2

  x = picture.astype(np.float32) / 255
  x = x ** np.exp(rng.normal(0, 0.3))
  level = x.mean()
  x = (x - level) * np.exp(rng.normal(0, 0.25)) + level + rng.normal(0, 0.08)
  x = x * np.exp(rng.normal(0, 0.12, 3)).astype(np.float32)
  if rng.random() < 0.2:
    x = np.repeat(x.mean(-1, keepdims=True), 3, -1)
  if rng.random() < 0.35:
    small = int(rng.uniform(0.25, 0.8) * INPUT)
    x = cv2.resize(x, (small, small), interpolation=cv2.INTER_AREA)
    x = cv2.resize(x, (INPUT, INPUT), interpolation=cv2.INTER_LINEAR)
  elif rng.random() < 0.3:
    x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 2.0))
  if rng.random() < 0.4:
    x = x + rng.normal(0, rng.uniform(0, 0.08), x.shape)
  if rng.random() < 0.25:
    w, h = rng.integers(8, 40, 2)
    left, top = rng.integers(0, INPUT - w), rng.integers(0, INPUT - h)
    x[top : top + h, left : left + w] = rng.uniform(0, 1, 3)
  return (np.clip(x, 0, 1) * 255).astype(np.uint8)


def _mirrored() -> np.ndarray:
  """Which landmark takes the place of which in a mirrored face."""
  from vasa_jax.metrics.faces import mean_mesh

  mean = mean_mesh()[list(MARKS)]
  other = mean * (-1, 1, 1)
  return np.linalg.norm(mean[:, None] - other[None], axis=-1).argmin(1)


_MIRROR = _mirrored()


def fit(
  faces: Faces, seed: int = 0, epochs: int = EPOCHS, progress: bool = True
) -> Callable[[np.ndarray], np.ndarray]:
  """Trains on rendered faces.

  Args:
    faces: with the renderer's marks and pose.
    seed: of weights and jitter.
    epochs: passes over the faces.
    progress: show a bar.

  Returns:
    `(n, 96, 96, 3)` uint8 to `(n, 68 * 2 + 3)`: see `answers`.
  """
  from tqdm import tqdm

  net = Regressor()
  per_epoch = max(len(faces.pictures) // BATCH, 1)
  steps = epochs * per_epoch
  rate = optax.warmup_cosine_decay_schedule(0.0, LEARNING_RATE, steps // 20 + 1, steps)
  optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate))
  params = net.init(jax.random.key(seed), jnp.zeros((1, INPUT, INPUT, 3)))
  state = optimizer.init(params)

  @jax.jit
  def step(params, state, pictures, wanted):
    def loss(params):
      off = (net.apply(params, pictures.astype(jnp.float32) / 255) - wanted) * 100
      # Linear far away, quadratic near: one bad face must not rule a batch.
      return jnp.mean(optax.huber_loss(off, delta=1.0))

    value, gradient = jax.value_and_grad(loss)(params)
    change, state = optimizer.update(gradient, state, params)
    return optax.apply_updates(params, change), state, value

  rng = np.random.default_rng((seed, 7))
  bar = tqdm(total=steps, desc='training', unit='step', disable=not progress)
  with bar:
    for _ in range(epochs):
      order = rng.permutation(len(faces.pictures))
      for k in range(per_epoch):
        batch = jitter(faces, np.resize(order[k * BATCH :], BATCH), rng)
        params, state, value = step(params, state, *batch)
        if k % 20 == 0:
          bar.set_postfix(loss=f'{float(value):.3f}')
        bar.update()
  apply = jax.jit(lambda pictures: net.apply(params, pictures / 255.0))

  def ask(pictures: np.ndarray) -> np.ndarray:
    out = []
    for start in range(0, len(pictures), BATCH):
      part = pictures[start : start + BATCH].astype(np.float32)
      full = np.concatenate([part, np.zeros((BATCH - len(part), *part.shape[1:]))])
      out.append(np.asarray(apply(jnp.asarray(full, jnp.float32)))[: len(part)])
    return np.concatenate(out)

  return ask


def answers(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """The net's rows as marks `(n, 68, 2)`, px of the 128 px crop, and pose `(n, 3)`."""
  marks = (rows[:, :-3].reshape(len(rows), -1, 2) + 0.5) * INPUT + (SIDE - INPUT) / 2
  return marks, rows[:, -3:] / _MARK_SCALE * POSE_SCALE
