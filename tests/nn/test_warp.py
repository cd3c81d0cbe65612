"""Warps against slow NumPy references, and the conventions of their coordinates."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.nn import sampling, warp
from vasa_jax.nn.sampling import SAMPLERS


def linear(field, position):
  """One sample: `field (..., c)`, position in cells, slowest axis first; 0 outside."""
  low = np.floor(position).astype(int)
  total = np.zeros(field.shape[-1])
  for corner in itertools.product((0, 1), repeat=len(low)):
    cell = low + corner
    if np.all((cell >= 0) & (cell < field.shape[:-1])):
      total += np.prod(1 - np.abs(position - cell)) * field[tuple(cell)]
  return total


@pytest.fixture(scope='module')
def volume():
  return np.random.default_rng(0).normal(size=(2, 3, 4, 5, 2)).astype(np.float32)


@pytest.fixture(scope='module')
def grid():
  # A tenth reaches outside of the volume, some by less than a cell.
  grid = np.random.default_rng(1).uniform(-1.4, 1.4, (2, 60, 3))
  return grid.astype(np.float32)


def test_volume_is_trilinear_with_zeros_outside(volume, grid):
  found = warp.warp_volume(volume, grid)
  sizes = np.array(volume.shape[3:0:-1])  # x, y, z
  position = (grid + 1) * sizes / 2 - 0.5
  wanted = [
    [linear(volume[b], p[::-1]) for p in position[b]] for b in range(len(volume))
  ]
  np.testing.assert_allclose(found, wanted, atol=1e-5)
  outside = np.any((position < -1) | (position > sizes), -1)
  assert outside.any() and not np.asarray(found)[outside].any()


def test_all_ways_agree(volume, grid):
  slope = np.random.default_rng(2).normal(size=(2, 60, 2)).astype(np.float32)

  @functools.partial(jax.jit, static_argnums=0)
  def run(how):
    value, pull = jax.vjp(lambda *x: warp.warp_volume(*x, how=how), volume, grid)
    return value, *pull(slope)

  wanted = run('map_coordinates')
  assert all(np.any(x) for x in wanted)
  for how in SAMPLERS:
    for found, known in zip(run(how), wanted, strict=True):
      np.testing.assert_allclose(found, known, atol=3e-5, err_msg=how)


def test_gradient_in_pieces_is_the_gradient(volume, grid, monkeypatch):
  def run():
    def energy(volume, grid):
      return jnp.sum(jnp.sin(warp.warp_volume(volume, grid)))

    return jax.jit(jax.grad(energy, (0, 1)))(volume, grid)

  whole = run()
  monkeypatch.setattr(sampling, 'PIECE', 200)  # 60 samples in 4 pieces of 15
  for found, known in zip(run(), whole, strict=True):
    np.testing.assert_allclose(found, known, atol=1e-5)


def test_picture_is_bilinear_and_repeats_its_border():
  picture = np.random.default_rng(0).random((2, 4, 6, 3), np.float32)
  screen = np.random.default_rng(1).uniform(-0.3, 1.3, (2, 40, 2)).astype(np.float32)
  position = np.clip(screen * [6, 4] - 0.5, 0, [5, 3])
  wanted = [[linear(picture[b], p[::-1]) for p in position[b]] for b in range(2)]
  np.testing.assert_allclose(warp.warp_picture(picture, screen), wanted, atol=1e-5)


def test_own_grid_changes_nothing(volume):
  grid = jnp.broadcast_to(warp.volume_grid(3, 4, 5), (2, 3, 4, 5, 3))
  np.testing.assert_allclose(warp.warp_volume(volume, grid), volume, atol=2e-6)
  picture = volume[:, 0, :, :4]
  screen = jnp.broadcast_to(warp.screen_grid(4), (2, 4, 4, 2))
  np.testing.assert_allclose(warp.warp_picture(picture, screen), picture, atol=2e-6)


def test_grids_run_x_right_y_down_z_last():
  grid = np.asarray(warp.volume_grid(2, 4, 8))
  np.testing.assert_allclose(grid[0, 0, :, 0], (np.arange(8) + 0.5) / 4 - 1)
  np.testing.assert_allclose(grid[0, :, 0, 1], (np.arange(4) + 0.5) / 2 - 1)
  np.testing.assert_allclose(grid[:, 0, 0, 2], [-0.5, 0.5])
  screen = np.asarray(warp.screen_grid(4))
  np.testing.assert_allclose(screen[1, 2], [0.625, 0.375])


def test_linear_in_the_volume(volume, grid):
  other = np.flip(volume, 1)
  together = warp.warp_volume(2 * volume - 3 * other, grid)
  apart = 2 * warp.warp_volume(volume, grid) - 3 * warp.warp_volume(other, grid)
  np.testing.assert_allclose(together, apart, atol=1e-5)


def test_gradients_agree_with_differences(volume, grid):
  # Well inside a cell, where the interpolation is smooth.
  sizes = np.array(volume.shape[3:0:-1])
  cells = np.floor((grid + 1) * sizes / 2 - 0.5)
  grid = ((cells + 0.9) * 2 / sizes - 1 + 0.1 / sizes).astype(np.float32)

  def energy(volume, grid):
    return jnp.sum(jnp.sin(warp.warp_volume(volume, grid)))

  by_volume, by_grid = jax.jit(jax.grad(energy, (0, 1)))(volume, grid)
  rng = np.random.default_rng(3)
  for i, (x, slope) in enumerate(((volume, by_volume), (grid, by_grid))):
    assert np.all(np.isfinite(slope)) and np.any(slope)
    step = 2e-3 * rng.normal(size=x.shape).astype(np.float32).clip(-2, 2)

    def moved(share, i=i, step=step):
      return (
        energy(volume + share * step, grid)
        if i == 0
        else energy(volume, grid + share * step)
      )

    change = float(moved(1.0) - moved(-1.0)) / 2
    assert change == pytest.approx(float(np.sum(slope * step)), rel=0.02, abs=2e-4)


def test_far_outside_stays_finite(volume):
  grid = jnp.full((2, 4, 3), 1e6)
  value, slope = jax.value_and_grad(lambda g: warp.warp_volume(volume, g).sum())(grid)
  assert value == 0 and np.all(np.isfinite(slope))


def test_low_precision_fields_keep_exact_coordinates():
  # 256 cells cannot be told apart by bfloat16 coordinates.
  ramp = jnp.arange(300, dtype=jnp.bfloat16)[None, None, None, :, None] % 2
  grid = jnp.broadcast_to(warp.volume_grid(1, 1, 300), (1, 1, 1, 300, 3))
  found = warp.warp_volume(ramp, grid)
  assert found.dtype == jnp.bfloat16
  np.testing.assert_allclose(found.astype(np.float32), ramp, atol=0.01)
