import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from vasa_jax.inference.showing import screen, tone

SEPIA = np.array([[1.1, 1.0, 0.75]]), np.array([20.0, 5.0, -5.0])


def _grey(crop):
  return np.repeat(np.asarray(Image.fromarray(crop).convert('L'))[..., None], 3, -1)


def _in_sepia(crop, quality=60):
  slope, base = SEPIA
  sepia = (_grey(crop) * slope + base).clip(0, 255).astype(np.uint8)
  file = io.BytesIO()
  Image.fromarray(sepia).save(file, 'JPEG', quality=quality)
  return np.asarray(Image.open(file))


def _on_white(portrait):
  """The same face before a white wall, cut out as an oval."""
  side = len(portrait.crop)
  y, x = (np.mgrid[:side, :side] + 0.5) / side
  low, high = portrait.points.min(0), portrait.points.max(0)
  (cx, cy), (rx, ry) = (low + high) / 2, (high - low) / 2 * 1.1
  inside = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
  return np.where(inside[..., None], portrait.crop, 255).astype(np.uint8)


def test_grey_stays_what_it_is(sitter):
  found = tone.tone(sitter._replace(crop=_grey(sitter.crop)))
  np.testing.assert_array_equal(found, np.arange(256)[:, None].repeat(3, 1))


def test_sepia_is_told_from_a_poor_file(sitter):
  sepia = _in_sepia(sitter.crop)
  found = tone.tone(sitter._replace(crop=sepia))
  slope, base = SEPIA
  grey = np.arange(60, 200)[:, None]
  wanted = grey * slope + base
  brightness = (wanted @ tone.LUMINANCE).round().astype(int)
  np.testing.assert_allclose(found[brightness], wanted, atol=4)
  own = np.asarray(tone.in_tone(jnp.asarray, sitter._replace(crop=sepia))(sepia))
  assert np.abs(own.astype(int) - sepia).mean() < 3


def test_what_is_painted_takes_the_portraits_tone(sitter):
  blue = np.zeros((2, 8, 8, 3), np.uint8)
  blue[..., 2] = 200
  grey = sitter._replace(crop=_grey(sitter.crop))
  seen = np.asarray(tone.in_tone(jnp.asarray, grey)(blue))
  assert seen.dtype == np.uint8
  np.testing.assert_array_equal(seen, 23)  # .114 of 200
  sepia = sitter._replace(crop=_in_sepia(sitter.crop))
  seen = np.asarray(tone.in_tone(jnp.asarray, sepia)(blue))[0, 0, 0].astype(int)
  assert seen[0] > seen[1] > seen[2]


@pytest.mark.parametrize('change', [lambda portrait: portrait.crop, _on_white])
def test_pictures_in_colour_are_left_alone(sitter, change):
  portrait = sitter._replace(crop=change(sitter))
  assert tone.tone(portrait) is None
  assert tone.in_tone(len, portrait) is len


def test_videos_of_grey_portraits_are_grey(tiny_face, picture, fitted):
  portrait = tiny_face.portrait(_grey(picture))
  code = tiny_face.encode(portrait)
  found = screen.screen(tiny_face.face, portrait, code, 4)
  own = jax.tree.map(lambda x: np.repeat(x, 4, 0), fitted[1])
  turn = np.float32([0.2, 0, 0, 0, 0, 0])
  motion = own.replace(z_pose=own.z_pose + turn)
  shown = found.finish(np.asarray(found.decode(code, motion)))
  assert shown.std() > 10
  assert not np.ptp(shown, -1).any()
