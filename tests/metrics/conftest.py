"""Small finished videos: one with a face that talks and turns, one without a face."""

import cv2
import numpy as np
import pytest

import vasa_jax
from vasa_jax.inference.media.video import VideoWriter
from vasa_jax.metrics.evaluator import read_picture

SIZE = 160


@pytest.fixture(scope='session')
def portrait():
  """The shipped photograph, `(160, 160, 3)` uint8."""
  folder = vasa_jax.__path__[0]
  picture = read_picture(f'{folder}/examples/portrait.jpg')
  return cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def sound_of(level, rate=48_000):
  """Noise whose loudness follows `level`, one value a frame; `(n, 1)` float32."""
  noise = np.random.default_rng(0).standard_normal((len(level), rate // 25))
  return (0.2 * noise * np.asarray(level)[:, None]).reshape(-1, 1).astype(np.float32)


def turned(picture, degrees, shift=0.0):
  """The picture rolled counter-clockwise about its middle and shifted (px)."""
  matrix = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), degrees, 1.0)
  matrix[0, 2] += shift
  return cv2.warpAffine(picture, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)


@pytest.fixture(scope='session')
def videos(tmp_path_factory, portrait):
  """A folder: `anna_1.mp4` (rolls by 1 degree a frame, sound), `wall.mp4` (neither)."""
  folder = tmp_path_factory.mktemp('videos')
  frames = np.stack([turned(portrait, degrees) for degrees in range(10)])
  level = np.array([0, 0, 1, 1, 0, 0, 1, 1, 0, 0.0])
  with VideoWriter(folder / 'anna_1.mp4', (SIZE, SIZE)) as writer:
    writer.write(frames)
    writer.write_sound(sound_of(level))
  wall = np.tile(
    np.linspace(0, 255, SIZE).astype(np.uint8)[:, None, None], (1, SIZE, 3)
  )
  with VideoWriter(folder / 'wall.mp4', (SIZE, SIZE), sound_rate=None) as writer:
    writer.write(np.stack([wall] * 3))
  return folder
