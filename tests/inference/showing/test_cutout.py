"""The person apart from what lies behind: what has to hold whatever the net says."""

import numpy as np
import pytest
from scipy import ndimage

from vasa_jax.inference.drawing.fill import fill
from vasa_jax.inference.finding import litert
from vasa_jax.inference.finding.portrait import find_portrait
from vasa_jax.inference.showing import cutout


@pytest.fixture(scope='module')
def portrait(picture):
  return find_portrait(picture, 64)


def _says(monkeypatch, share):
  monkeypatch.setattr(litert, 'run', lambda *_: [np.asarray(share)[None, ..., None]])


@pytest.mark.parametrize('side', [64, 256, 300])
def test_together_the_layers_are_the_portrait(portrait, monkeypatch, side):
  rng = np.random.default_rng(0)
  coarse = rng.random((8, 8)).repeat(32, 0).repeat(32, 1).astype(np.float32)
  for share in (None, coarse, np.zeros_like(coarse), np.ones_like(coarse)):
    if share is not None:
      _says(monkeypatch, share)
    crop = portrait.cut(side)
    found = cutout.cut_out(portrait, side, crop)
    light, there = found.carried[..., :3], found.carried[..., 3:]
    assert 0 <= there.min() and there.max() <= 1
    whole = light + (1 - there) * found.behind
    np.testing.assert_allclose(whole, crop / np.float32(255), atol=2e-6)


def _within(portrait):
  """`(n, 2)` px of `WORK`: landmarks that do not lie on the rim of the face."""
  inner = np.delete(portrait.points, cutout.OVAL, 0)
  return (inner * cutout.WORK).astype(int)


def test_the_shipped_portrait(portrait):
  picture = portrait.cut(cutout.WORK)
  share = cutout.person(portrait, picture)
  points = _within(portrait)
  assert (share[points[:, 1], points[:, 0]] > 0.95).mean() > 0.98
  hair = (portrait.points[10] * cutout.WORK).astype(int) - [0, 40]  # above the forehead
  assert share[hair[1], hair[0]] > 0.9
  assert share[:30, :30].max() < 0.05 and share[:30, -30:].max() < 0.05
  found = cutout.cut_out(portrait, cutout.WORK, picture)
  untouched = ndimage.maximum_filter(share, 4 * cutout.HOLE) < 0.02
  assert untouched.mean() > 0.2
  np.testing.assert_allclose(
    found.behind[untouched], picture[untouched] / 255, atol=0.01
  )
  # Nothing of the face is left behind it: the wall there is as bright as beside it.
  wall = found.behind[:30].mean()
  behind_face = found.behind[points[:, 1], points[:, 0]].mean()
  assert abs(behind_face - wall) < 0.15


def test_a_drawing_that_the_net_does_not_understand(portrait, monkeypatch):
  _says(monkeypatch, np.zeros((cutout.WORK, cutout.WORK), np.float32))
  share = cutout.person(portrait, portrait.cut(cutout.WORK))
  points = _within(portrait)
  assert (share[points[:, 1], points[:, 0]] > 0.95).mean() > 0.98
  assert 0.1 < share.mean() < 0.6
  # It ends softly, and before the border.
  assert np.abs(np.diff(share, axis=0)).max() < 0.1
  assert share[0].max() == share[:, 0].max() == share[:, -1].max() == 0


@pytest.mark.parametrize('contrast', [0.01, 0.4])
def test_only_busy_surroundings_run_on(portrait, contrast):
  y = np.arange(cutout.WORK)
  rows = 0.5 + contrast * (np.sin(y * 2 * np.pi / 9) > 0)
  picture = np.float32(rows)[:, None, None] * np.ones((1, cutout.WORK, 3), np.float32)
  hole = np.zeros((cutout.WORK, cutout.WORK), np.float32)
  hole[60:160, 90:170] = 1
  known = 1 - hole
  inside = portrait._replace(left=0.0, top=0.0, side=200.0)
  shown = cutout._continued(inside, picture, hole, picture)
  smooth = fill(picture, known)
  rim = np.s_[70:150, 96:110]
  if contrast < 0.1:
    np.testing.assert_array_equal(shown[rim], smooth[rim])
  else:
    means, found = (np.abs(x - picture)[rim].mean() for x in (smooth, shown))
    assert found < means / 3
  # A crop most of which was made up has nothing to give.
  beyond = portrait._replace(left=-2000.0, top=-2000.0, side=4000.0)
  made_up = cutout._continued(beyond, picture, hole, picture)
  np.testing.assert_allclose(made_up, smooth, atol=1e-6)


def test_edges_follow_the_picture():
  guide = np.zeros((64, 64), np.float32)
  guide[:, 32:] = 1
  soft = np.clip((np.arange(64) - 27) / 10, 0, 1).astype(np.float32)
  found = cutout._guided(guide, np.broadcast_to(soft, (64, 64)))
  assert np.diff(found, axis=1).max() > 3 * np.diff(soft).max()
  flat = cutout._guided(np.zeros((64, 64), np.float32), np.ones((64, 64), np.float32))
  np.testing.assert_allclose(flat, 1, atol=1e-6)
