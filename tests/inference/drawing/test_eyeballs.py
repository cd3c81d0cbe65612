"""Eyes that look elsewhere: what must hold for any portrait."""

import jax
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from vasa_jax.inference.directing.named_motion import UNITS
from vasa_jax.inference.drawing import eyeballs as eyeballs_lib
from vasa_jax.inference.drawing.eye_pictures import eye_pictures
from vasa_jax.inference.drawing.eyelids import EYES
from vasa_jax.inference.finding.portrait import find_portrait
from vasa_jax.types import NUM_UNITS, Motion

SIZE = 256
WIDE = [UNITS.index('eyeWideLeft'), UNITS.index('eyeWideRight')]


@pytest.fixture(scope='module')
def eyes(sitter, fitted):
  return eyeballs_lib.eyeballs(sitter, fitted[0], sitter.cut(2 * SIZE), SIZE)


@pytest.fixture(scope='module')
def draw(sitter, fitted, eyes):
  """What is drawn for eyes that turn by so many radians, right and up."""
  motion, drawn = fitted[1], jax.jit(eyeballs_lib.drawn)

  def made(right=0.0, up=0.0, wide=0.0, yaw=0.0, below=None, eyes=eyes):
    z_pose, z_dyn = np.array(motion.z_pose), np.array(motion.z_dyn)
    z_pose[0, 0] += yaw
    z_dyn[0, NUM_UNITS:] += [right, up]
    z_dyn[0, WIDE] += wide
    grey = np.full((1, SIZE, SIZE, 3), 0.5, np.float32)
    pictures = grey if below is None else below[None]
    return np.asarray(drawn(pictures, eyes, motion, Motion(z_pose, z_dyn)))[0]

  return made


def _box(portrait, which):
  points = portrait.points[[mark for lid in EYES[which] for mark in lid]] * SIZE
  return points.min(0), points.max(0)


def _iris(drawn, portrait, which):
  """Where an eye that was drawn on grey is dark: `(n, 2)` x, y."""
  low, high = _box(portrait, which)
  y, x = np.nonzero(drawn.mean(-1) < 0.4)
  own = (x > low[0]) & (x < high[0]) & (y > low[1] - 3) & (y < high[1] + 3)
  assert own.sum() > 5
  return np.stack([x, y], -1)[own]


def test_eyes_that_look_as_in_the_portrait_are_left_alone(draw):
  np.testing.assert_array_equal(draw(), np.float32(0.5))
  np.testing.assert_array_equal(draw(right=0.005, up=-0.005), np.float32(0.5))


@pytest.mark.parametrize('which', [0, 1])
def test_irises_go_where_eyes_look(draw, sitter, eyes, which):
  left, right, up, down = (
    _iris(draw(*asked), sitter, which).mean(0)
    for asked in ((-0.2, 0), (0.2, 0), (0, 0.15), (0, -0.15))
  )
  radius = eyes.sizes[which] * SIZE
  assert 0.7 < (right - left)[0] / radius < 2
  assert 0.1 < (down - up)[1] / radius < 1.5


@pytest.mark.parametrize(
  'asked', [(0.7, 0), (-0.7, 0), (0, 0.6), (0, -0.6), (0.6, 0.6)]
)
def test_eyes_do_not_roll(draw, sitter, asked):
  made = draw(*asked)
  for which in range(2):
    assert len(_iris(made, sitter, which)) > 15


def test_only_what_lies_between_lids_is_drawn(draw, sitter):
  y, x = np.nonzero(np.abs(draw(right=0.2) - 0.5).max(-1) > 0.02)
  inside = np.zeros(len(x), bool)
  for which in range(2):
    low, high = _box(sitter, which)
    own = (x > low[0] - 2) & (x < high[0] + 2) & (y > low[1] - 2) & (y < high[1] + 2)
    assert own.sum() > 0.3 * np.prod(high - low)
    inside |= own
  assert inside.all()


def test_white_is_continued_behind_the_iris(draw, sitter, eyes):
  own = sitter.crop.astype(np.float32) / 255
  looking = draw(right=0.35, below=own)
  for which in range(2):
    aside = np.array([0.7 * eyes.sizes[which] * SIZE, 0])
    x, y = (sitter.irises[which, 0] * SIZE - aside).astype(int)
    assert looking[y, x].mean() > own[y, x].mean() + 0.1


def test_wide_eyes_show_more_of_the_iris(draw, sitter):
  for which in range(2):
    narrow, wide = (_iris(draw(0.1, wide=w), sitter, which) for w in (0.0, 1.0))
    assert wide[:, 1].min() < narrow[:, 1].min()
    assert len(wide) > 1.1 * len(narrow)


def test_lids_that_show_no_eye_get_none(sitter, fitted, draw):
  picture = Image.fromarray(sitter.crop)
  pen = ImageDraw.Draw(picture)
  for which in range(2):
    low, high = _box(sitter, which)
    pen.rectangle([*(low - 2), *(high + 2)], fill=tuple(sitter.crop[150, 128]))
  shut = eyeballs_lib.eyeballs(sitter, fitted[0], np.asarray(picture), SIZE)
  assert not shut.known
  np.testing.assert_array_equal(draw(right=0.3, eyes=shut), np.float32(0.5))


@pytest.mark.parametrize('glare', [0, 60, 120])
def test_dark_glasses_have_no_eyes_behind_them(picture, sitter, glare):
  image = Image.fromarray(picture)
  pen = ImageDraw.Draw(image)
  for which in range(2):
    low, high = (corner / SIZE * sitter.side for corner in _box(sitter, which))
    x, y = (low + high) / 2 + [sitter.left, sitter.top]
    r = 0.8 * (high - low)[0]
    pen.ellipse([x - r, y - 0.7 * r, x + r, y + 0.7 * r], fill=(25, 22, 24))
    glass = x - 0.6 * r, y + 0.3 * r, x + 0.2 * r, y - 0.4 * r
    pen.line(glass, fill=(max(glare, 25),) * 3, width=round(0.2 * r))
  noise = np.random.default_rng(0).normal(0, 3, picture.shape)
  seen = np.clip(np.asarray(image.filter(ImageFilter.GaussianBlur(1))) + noise, 0, 255)
  portrait = find_portrait(seen.astype(np.uint8), SIZE)
  eyes = eye_pictures(portrait, portrait.cut(2 * SIZE), 64)
  assert not all(eye.known for eye in eyes)


def test_heads_far_aside_keep_what_the_model_paints(draw):
  assert np.abs(draw(right=0.2, yaw=0.3) - 0.5).max() > 0.1
  np.testing.assert_array_equal(draw(right=0.2, yaw=0.9), np.float32(0.5))


def test_it_begins_without_a_jump(draw, sitter):
  own = sitter.crop.astype(np.float32) / 255
  pictures = np.stack([draw(right=r, below=own) for r in np.linspace(0, 0.1, 26)])
  steps = np.abs(np.diff(pictures, axis=0)).max((1, 2, 3))
  assert 0.01 < steps.max() < 0.12
