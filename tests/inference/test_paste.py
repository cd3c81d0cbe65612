import av
import jax
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from vasa_jax.face.prior import HeadTemplate, prior_flow
from vasa_jax.face.template import load_template
from vasa_jax.inference import models, paste, screen
from vasa_jax.inference.portrait import find_portrait
from vasa_jax.inference.provenance import read_provenance
from vasa_jax.types import Motion


@pytest.fixture(scope='module')
def portrait(picture):
  return find_portrait(picture, 64)


@pytest.fixture(scope='module')
def cut_off(picture):
  """A picture that ends within the crop on two sides; odd sides."""
  return find_portrait(np.ascontiguousarray(picture[19:300, 131:400]), 64)


def test_the_square_lies_on_whole_pixels(portrait):
  found = paste.settled(portrait)
  assert all(float(x).is_integer() for x in (found.left, found.top, found.side))
  assert found.picture is portrait.picture and found.notes == portrait.notes
  assert abs(found.left - portrait.left) <= 0.5 and found.crop.shape == (64, 64, 3)
  # The face stays where it is in the picture.
  for a, b in (
    (found.landmarks.points, portrait.landmarks.points),
    (found.landmarks.irises[:, 0], portrait.landmarks.irises[:, 0]),
  ):
    np.testing.assert_allclose(
      found.to_picture(a[:, :2]), portrait.to_picture(b[:, :2]), atol=1e-3
    )


def test_at_its_own_size_the_crop_is_the_picture(portrait, cut_off):
  for found in (paste.settled(portrait), paste.settled(cut_off)):
    crop = found.cut(int(found.side))
    np.testing.assert_array_equal(paste.pasted(crop[None], found)[0], found.picture)


def test_large_pictures_are_scaled_down(portrait):
  found = paste.settled(portrait, most=400)
  assert found.picture.shape == (400, 400, 3)
  assert found.notes[-1] == (
    'the picture is scaled down from 512 x 512 to 400 x 400 px'
  )
  points = found.to_picture(found.landmarks.points[:, :2])
  wanted = portrait.to_picture(portrait.landmarks.points[:, :2]) * 400 / 512
  np.testing.assert_allclose(points, wanted, atol=1e-3)


def test_only_the_square_is_replaced(cut_off):
  found = paste.settled(cut_off)
  side, left, top = int(found.side), int(found.left), int(found.top)
  assert left < 0 and top < 0
  squares = np.random.default_rng(0).integers(0, 255, (2, side, side, 3), np.uint8)
  whole = paste.pasted(squares, found)
  seen = whole[:, : top + side, : left + side]
  np.testing.assert_array_equal(seen, squares[:, -top:, -left:])
  whole[:, : top + side, : left + side] = 0
  rest = found.picture.copy()
  rest[: top + side, : left + side] = 0
  np.testing.assert_array_equal(whole, np.stack([rest] * 2))


def _nearness(*poses):
  template = HeadTemplate.of(load_template())
  pose = np.array(poses, np.float32)
  motion = Motion(pose, np.zeros((len(pose), 54), np.float32))
  vertices = np.repeat(np.asarray(template.mean)[None], len(pose), 0)
  flow = jax.jit(prior_flow, static_argnums=4)
  hints = flow(template, vertices, motion, motion, 128).hints
  return np.asarray(hints[..., -1:])


def test_the_matte_holds_both_heads_and_ends_within_the_square():
  near = _nearness(
    (0, 0, 0, 0.1, 0, 0), (0.5, 0, 0.1, 0.2, 0.06, -0.03), (0, 0, 0, 0.5, 0, 0)
  )
  for rest, now in ((near[:1], near[1:2]), (near[2:], near[2:])):
    matte = np.asarray(paste.matte(now, rest, 128))[0, ..., 0]
    assert 0 <= matte.min() and matte.max() <= 1
    border = np.ones_like(matte, bool)
    border[3:-3, 3:-3] = False
    assert not matte[border].any()
    inside = np.zeros_like(matte, bool)
    inside[16:-16, 16:-16] = True
    # Steps from either head, across or diagonal, in 128ths of the crop.
    heads = np.maximum(now, rest)[0, ..., 0]
    apart = ndimage.distance_transform_cdt(heads < 0.5)
    held = inside & (apart <= paste.AROUND * 128 - 2)
    assert held.mean() > 0.3 and matte[held].min() > 0.999
    # Nearness itself reaches a few cells beyond the head.
    apart = ndimage.distance_transform_cdt(heads <= 0.25)
    far = apart > (paste.AROUND + paste.FALL) * 128 + 4
    assert not matte[far].any()
    # No edge: it falls over many pixels.
    assert max(np.abs(np.diff(matte, axis=i)).max() for i in (0, 1)) < 0.14
  assert far.mean() > 0.05  # round the small head


def test_beyond_the_matte_the_picture_is_untouched(tiny_face, portrait):
  found = paste.settled(portrait)
  source = models.fit_source(tiny_face.bundle.face_config, found)
  code = tiny_face.face.encode(found, source)
  shown = screen.screen(tiny_face.face, found, code, 4, paste_back=True)
  assert shown.size == (512, 512)
  pose = np.repeat(source.motion.z_pose, 4, 0)
  pose[:2, 0] += 0.3
  dyn = np.repeat(source.motion.z_dyn, 4, 0)
  got = shown.finish(np.asarray(shown.decode(code, Motion(pose, dyn))))
  side, left, top = int(found.side), int(found.left), int(found.top)
  margin = int(paste.MARGIN[0] * side)
  square = got[:, top + margin :, left + margin : left + side - margin].astype(int)
  inner = found.picture[top + margin :, left + margin : left + side - margin]
  assert np.abs(square - inner)[:, : side - 2 * margin].max() > 20
  got[:, top + margin : top + side - margin, left + margin : left + side - margin] = (
    inner[: side - 2 * margin]
  )
  np.testing.assert_array_equal(got, np.stack([found.picture] * 4))


def test_video_of_the_whole_picture(tiny_face, cut_off, short_voice, tmp_path):
  path, out = tmp_path / 'me.png', tmp_path / 'a.mp4'
  Image.fromarray(cut_off.picture).save(path)
  talk = tiny_face.talk(path, short_voice, out, paste_back=True)
  with av.open(str(out)) as container:
    video = container.streams.video[0]
    assert (video.frames, video.height, video.width) == (18, 282, 270)
    last = [frame.to_ndarray(format='rgb24') for frame in container.decode(video)][-1]
  said = read_provenance(out)
  assert said == talk.provenance
  assert said['settings']['paste_back'] is True and said['settings']['size'] is None
  # Below the square lies the picture, but for what coding loses.
  below = int(paste.settled(cut_off).top + paste.settled(cut_off).side)
  error = last[below:-1, :-1].astype(int) - cut_off.picture[below:]
  assert len(error) > 20 and np.abs(error).mean() < 6
