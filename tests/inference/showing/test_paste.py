import av
import numpy as np
import pytest
from PIL import Image

from vasa_jax.inference import models, talking_face
from vasa_jax.inference.finding.portrait import find_portrait
from vasa_jax.inference.media.provenance import read_provenance
from vasa_jax.inference.showing import matte, paste, screen, viewport
from vasa_jax.types import Motion


@pytest.fixture(scope='module')
def portrait(picture):
  return find_portrait(picture, 64)


@pytest.fixture(scope='module')
def cut_off(picture):
  """A narrow picture that ends within the crop on three sides; odd sides."""
  return find_portrait(np.ascontiguousarray(picture[19:300, 170:289]), 64)


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
  width = found.picture.shape[1]
  assert left + side > width
  seen = whole[:, : top + side]
  np.testing.assert_array_equal(seen, squares[:, -top:, -left : width - left])
  whole[:, : top + side, : left + side] = 0
  rest = found.picture.copy()
  rest[: top + side, : left + side] = 0
  np.testing.assert_array_equal(whole, np.stack([rest] * 2))


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
  margin = int(matte.MARGIN[0] * side)
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
    assert (video.frames, video.height, video.width) == (18, 282, 120)
    last = [frame.to_ndarray(format='rgb24') for frame in container.decode(video)][-1]
  assert not any('made up' in note for note in talk.notes)
  said = read_provenance(out)
  assert said == talk.provenance
  assert said['settings']['paste_back'] is True and said['settings']['size'] is None
  # Below the square lies the picture, but for what coding loses.
  below = int(paste.settled(cut_off).top + paste.settled(cut_off).side)
  error = last[below:-1, :-1].astype(int) - cut_off.picture[below:]
  assert len(error) > 20 and np.abs(error).mean() < 6


def test_square_videos_show_what_the_picture_holds(
  tiny_face, portrait, cut_off, short_voice, tmp_path, monkeypatch
):
  """All of the crop where it can; else a part, and a note if that is not enough."""
  asked = []

  def stand_in(net, portrait, code, batch, size, part, paste_back):
    asked.append(part)
    grey = np.zeros((batch, 64, 64, 3), np.uint8)
    return screen.Screen((64, 64), lambda code, motion: grey, lambda pictures: pictures)

  monkeypatch.setattr(talking_face.screen, 'screen', stand_in)
  notes = {}
  for name, found in (('wide', portrait), ('close', cut_off)):
    path = tmp_path / f'{name}.png'
    Image.fromarray(found.picture).save(path)
    notes[name] = tiny_face.talk(path, short_voice, tmp_path / f'{name}.mp4').notes
  tiny_face.talk(path, short_voice, tmp_path / 'whole.mp4', paste_back=True)
  assert asked == [viewport.WHOLE, viewport.viewport(cut_off), viewport.WHOLE]
  assert asked[1].share == viewport.SHARES[-1]
  assert not any('made up' in note for note in notes['wide'])
  assert f'{path}: ' in notes['close'][-1]
  assert notes['close'][-1].endswith('--paste-back shows the picture alone')
  large = talking_face._made_up(cut_off, 'me.png', 512)[0]
  assert '--paste-back instead of --size' in large
