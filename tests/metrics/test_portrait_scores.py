"""Each measure sees the defect that is planted for it, and nothing else."""

import cv2
import numpy as np
import pytest

from vasa_jax.metrics import portrait_scores as scores
from vasa_jax.types import FPS

SIDE, CHIN = 128, 84


@pytest.fixture(scope='module')
def mesh():
  """An oval of 468 points, 24 px wide and 40 high, about (64, 64)."""
  turn = np.linspace(0, 2 * np.pi, 468, endpoint=False)
  oval = np.stack([12 * np.cos(turn), 20 * np.sin(turn), 0 * turn], -1)
  return (oval + [64, 64, 0]).astype(np.float32)


@pytest.fixture(scope='module')
def portrait():
  """Fine grain, of values that leave room for changes."""
  grain = np.random.default_rng(0).integers(60, 180, (SIDE, SIDE, 1))
  return np.repeat(grain, 3, -1).astype(np.uint8)


def test_a_blurred_face_is_less_sharp_and_a_blurred_wall_is_not(portrait, mesh):
  own = scores.sharpness(portrait, mesh)
  soft = cv2.GaussianBlur(portrait, (0, 0), 1.0)
  assert scores.sharpness(soft, mesh) < 0.1 * own
  face = scores.fill(scores.face_hull(mesh, 1.3), portrait.shape)
  wall = np.where(face[..., None], portrait, soft)
  assert scores.sharpness(wall, mesh) == own
  half = (portrait.astype(float) * 0.5 + soft * 0.5).astype(np.uint8)
  assert 0.2 * own < scores.sharpness(half, mesh) < 0.6 * own


def test_hull_grows_about_its_middle(mesh):
  plain, head = scores.face_hull(mesh), scores.face_hull(mesh, (1.8, 2.1))
  np.testing.assert_allclose(np.ptp(head, 0), np.ptp(plain, 0) * (1.8, 2.1), rtol=1e-5)
  np.testing.assert_allclose(head.max(0) + head.min(0), [128, 128], atol=1e-3)


def test_background_counts_outside_of_every_head_alone(portrait, mesh):
  frames = [portrait] * 4
  still = scores.background_change(frames, portrait, [mesh])
  assert still.change == still.above == 0 and 0.4 < still.outside.mean() < 0.9
  head = portrait.copy()
  head[~still.outside] += 9
  assert scores.background_change([head], portrait, [mesh]).change == 0
  # Half of the frames are 6 brighter everywhere.
  lit = scores.background_change([portrait, portrait + 6], portrait, [mesh])
  assert lit.change == pytest.approx(3) and lit.above == pytest.approx(3)
  shoulders = portrait.copy()
  shoulders[CHIN + 1 :] += 8
  moved = scores.background_change([shoulders], portrait, [mesh])
  assert moved.above == 0 and 1 < moved.change < 5
  # Where the head has been in any frame nothing is compared.
  aside = mesh + np.float32([20, 0, 0])
  both = scores.background_change(frames, portrait, [mesh, aside])
  assert both.outside.sum() < still.outside.sum()
  near = (mesh - 64) * np.float32(6) + 64
  assert np.isnan(scores.background_change(frames, portrait, [near]).change)
  with pytest.raises(ValueError, match='portrait of'):
    scores.background_change([portrait[:64]], portrait, [mesh])


def eyes(left, right, frames=150):
  """`(t, 2)` openings of .3 with blinks of four frames that begin at these times."""
  openings = np.full((frames, 2), 0.3)
  for eye, starts in enumerate((left, right)):
    for start in starts:
      openings[start : start + 4, eye] = 0.1
  return openings


def test_an_eye_that_closes_alone_is_counted_apart():
  both = scores.blinks_of_both(eyes([20, 80], [21, 78]))
  assert both == (2, 0) and both.share == 1
  late = scores.blinks_of_both(eyes([20, 80], [20, 84]))
  assert late == (1, 2) and late.share == pytest.approx(1 / 3)
  assert scores.blinks_of_both(eyes([20], [])) == (0, 1)
  assert np.isnan(scores.blinks_of_both(eyes([], [])).share)
  found = np.ones(150, bool)
  found[80:84] = False  # no face: no blink
  assert scores.blinks_of_both(eyes([20, 80], [20, 80]), found) == (1, 0)


def test_trembling_is_acceleration_and_turning_is_not():
  steady = np.arange(100)[:, None] * np.array([1.0, 0.2, 0.0])
  assert scores.acceleration(steady) == pytest.approx(0, abs=1e-12)
  assert scores.acceleration(steady * 7 % 360 - 180) == pytest.approx(0, abs=1e-9)
  trembling = steady + 0.1 * (-1.0) ** np.arange(100)[:, None]
  assert scores.acceleration(trembling) == pytest.approx(0.4)
  found = np.ones(100, bool)
  wild = steady.copy()
  wild[50], found[50] = 90, False
  assert scores.acceleration(wild, found) == pytest.approx(0, abs=1e-12)
  assert np.isnan(scores.acceleration(steady, np.zeros(100, bool)))


def spoken(closes, loose=0.022):
  """Five seconds of `ba`, the lips of which close if `closes`, and a second of rest."""
  opening, phones = np.full(6 * FPS, 0.25), []
  for i in range(10):
    start = 0.5 * i
    phones += [('b', start, start + 0.08), ('aa', start + 0.08, start + 0.5)]
    if closes[i]:
      opening[round(start * FPS)] = loose
  phones.append(('sil', 5.0, 6.0))
  opening[5 * FPS :] = 0.02
  return opening, phones


def test_lips_that_stay_open_are_found():
  found = np.ones(6 * FPS, bool)
  closes = [True] * 6 + [False] * 4
  opening, phones = spoken(closes)
  lips = scores.lips_on_phones(opening, found, phones)
  assert lips.closed.tolist() == closes and lips.level == pytest.approx(0.025)
  assert 0.1 < lips.chance < 0.35  # a span of five frames around six closed ones of 125
  loose = scores.lips_on_phones(*_with(spoken([True] * 10, loose=0.06), found))
  assert not loose.closed.any() and loose.chance == 0
  still = scores.lips_on_phones(np.full(6 * FPS, 0.1), found, phones)
  assert still.closed.all() and still.chance == 1  # what a closed mouth is worth
  assert scores.lips_on_phones(opening, found, phones[:-1]) is None
  assert scores.lips_on_phones(opening, ~found, phones) is None
  found[150 - 25 :] = False
  assert scores.lips_on_phones(opening, found, phones) is None


def _with(said, found):
  opening, phones = said
  return opening, found, phones
