"""Windows follow the head; disguises change everything but what the face does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.face import augment, crop
from vasa_jax.nn.warp import screen_grid

SIDE = 96


def dots(points, side=SIDE, sigma=0.02):
  """A picture with a soft dot of each colour at `points (n <= 3, 2)`, crop units."""
  square = jnp.sum(jnp.square(screen_grid(side)[:, :, None] - jnp.asarray(points)), -1)
  return jnp.exp(-square / (2 * sigma**2))[None]


def centres(picture):
  """Where each colour's mass lies, `(3, 2)`."""
  side = picture.shape[1]
  mass = picture[0] / picture[0].sum((0, 1))
  return np.asarray(jnp.einsum('hwc,hwx->cx', mass, screen_grid(side)))


FACE = np.array([[0.5, 0.62], [0.42, 0.45], [0.58, 0.45]], np.float32)


def posed(points, roll, ratio, shift):
  """Points of the reference crop as a rolled, distant, shifted head shows them."""
  x, y = (points - 0.5).T * [[1], [-1]]  # y up
  turned = np.stack([np.cos(roll) * x - np.sin(roll) * y,
                     np.sin(roll) * x + np.cos(roll) * y], -1)  # fmt: skip
  return (turned * [1, -1]) * np.exp(-ratio) + 0.5 + shift


@pytest.mark.parametrize('roll', [0.0, 0.4, -0.3])
@pytest.mark.parametrize('side', [24, 48])
def test_pose_crop_undoes_roll_size_and_shift(roll, side):
  ratio, shift, zoom = 0.15, np.array([0.08, -0.06]), 1.5
  picture = dots(posed(FACE, roll, ratio, shift))
  pose = jnp.array([[0.3, -0.2, roll, ratio, *shift]])
  found = crop.pose_crop(picture, pose, side, zoom)
  assert found.shape == (1, side, side, 3)
  wanted = (FACE - 0.5) * zoom + 0.5
  np.testing.assert_allclose(centres(found), wanted, atol=0.008)


def test_aligned_crop_brings_features_to_their_marks():
  places = posed(FACE, 0.35, -0.1, np.array([0.05, 0.03]))
  # The marks are the face, turned, scaled and shifted: a similarity reaches them all.
  marks = posed(FACE, -0.2, -0.6, np.array([-0.02, 0.01])).astype('f4')
  found = crop.aligned_crop(dots(places), jnp.asarray(places)[None], marks, 64)
  np.testing.assert_allclose(centres(found), marks, atol=0.008)


def test_gradient_goes_to_the_picture_not_to_the_place():
  picture = dots(FACE)

  def energy(picture, pose, centres):
    one = crop.pose_crop(picture, pose, 24, 1.5)
    two = crop.aligned_crop(picture, centres, crop.ARCFACE_MARKS, 24)
    return jnp.sum(jnp.square(one)) + jnp.sum(jnp.square(two))

  slopes = jax.jit(jax.grad(energy, (0, 1, 2)))(picture, jnp.zeros((1, 6)), FACE[None])
  assert np.any(slopes[0]) and not np.any(slopes[1]) and not np.any(slopes[2])


def test_loosened_marks_keep_their_middle():
  loose = crop.loosened(crop.ARCFACE_MARKS, 0.5)
  np.testing.assert_allclose(np.ptp(loose, 0), np.ptp(crop.ARCFACE_MARKS, 0) / 2)


def test_the_warp_is_smooth_small_and_keeps_the_border():
  grid = jnp.broadcast_to(screen_grid(65), (3, 65, 65, 2))
  moved = augment.elastic_warp(grid, jax.random.key(0)) - grid
  assert np.abs(moved[:, [0, -1]]).max() < 0.01  # about half a pixel
  inner = np.asarray(moved)[:, 16:-16, 16:-16]
  assert 0.002 < inner.std() < 0.1 / 8  # of a tenth of a cell, smoothed
  assert np.abs(np.diff(inner, axis=1)).max() < 0.4 / 65  # nothing folds
  assert np.abs(moved[0] - moved[1]).max() > 0.005  # each picture its own
  still = augment.elastic_warp(grid, jax.random.key(0), jitter=0.0)
  np.testing.assert_allclose(still, grid, atol=1e-6)


def test_colours_change_as_told():
  picture = jax.random.uniform(jax.random.key(0), (1, 4, 4, 3)) * 0.4 + 0.3
  one, zero = jnp.ones(1), jnp.zeros(1)

  def run(brightness=one, contrast=one, saturation=one, hue=zero):
    change = augment.Colours(brightness, contrast, saturation, hue)
    return augment.change_colours(picture, change)

  np.testing.assert_allclose(run(), picture, atol=1e-6)
  np.testing.assert_allclose(run(brightness=0.5 * one), picture / 2, atol=1e-6)
  grey = run(saturation=zero)
  np.testing.assert_allclose(grey[..., 0], grey[..., 2], atol=1e-6)
  assert run(contrast=0.5 * one).std() < 0.8 * picture.std()
  # A third of a turn exchanges the channels; a whole one does nothing.
  third = run(hue=one / 3)
  np.testing.assert_allclose(third, jnp.roll(picture, 1, -1), atol=1e-5)
  np.testing.assert_allclose(run(hue=one), picture, atol=1e-5)


def test_disguise_is_drawn_anew_and_stays_a_picture():
  picture = jax.random.uniform(jax.random.key(0), (2, 32, 32, 3))
  picture = picture.at[1].set(picture[0])
  hide = jax.jit(augment.hide_identity)
  found = hide(picture, jax.random.key(1))
  assert found.min() >= 0 and found.max() <= 1
  assert np.abs(found[0] - found[1]).max() > 0.05
  np.testing.assert_array_equal(found, hide(picture, jax.random.key(1)))
  assert np.abs(found - hide(picture, jax.random.key(2))).max() > 0.05
