"""A photograph as a square crop, cut out in any way, and what is read from it."""

import functools

import cv2
import numpy as np
import pytest

import vasa_jax


@functools.cache
def photograph() -> np.ndarray:
  """`(512, 512, 3)` uint8: the shipped portrait."""
  import pathlib

  path = pathlib.Path(vasa_jax.__file__).parent / 'examples' / 'portrait.jpg'
  return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def crop(turn: float = 0.0, zoom: float = 1.0, right: float = 0.0, side: int = 256):
  """The face in `(side, side, 3)`.

  Args:
    turn: degrees, counter-clockwise.
    zoom: over the usual size.
    right: shift in crop units.
  """
  centre = (225.0, 127.0)
  to_crop = cv2.getRotationMatrix2D(centre, turn, zoom * side / 230)
  to_crop[:, 2] += side / 2 - np.array(centre) + [right * side, 0]
  return cv2.warpAffine(photograph(), to_crop, (side, side), flags=cv2.INTER_LINEAR)


@pytest.fixture(scope='session')
def cut_out():
  """`crop`."""
  return crop


@pytest.fixture(scope='session')
def read_crop():
  """Labels of two equal frames of a crop."""
  from data_pipelines.perceive.labels import label_clip

  return lambda picture: label_clip(np.stack([picture, picture]))
