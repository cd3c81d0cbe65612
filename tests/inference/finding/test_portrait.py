import io

import numpy as np
import pytest
from PIL import Image

from vasa_jax.errors import UserError
from vasa_jax.inference.finding import portrait as portrait_lib
from vasa_jax.inference.finding.landmarks import BROWS, CHIN
from vasa_jax.inference.finding.portrait import find_portrait, load_picture


def _save(path, image, **options):
  image.save(path, **options)
  return path


@pytest.fixture(scope='module')
def small(picture):
  """A 64 px colour picture to push through file formats."""
  return Image.fromarray(picture).resize((64, 48))


def _close(a, b, within):
  assert a.shape == b.shape and a.dtype == np.uint8
  assert np.abs(a.astype(int) - np.asarray(b, int)).mean() < within


@pytest.mark.parametrize(
  ('name', 'mode', 'within'),
  [
    ('a.png', 'RGB', 0.1),
    ('a.webp', 'RGB', 6),
    ('a.jpg', 'CMYK', 6),
    ('a.tif', 'CMYK', 4),
    ('a.bmp', 'RGB', 0.1),
    ('a.gif', 'P', 14),
    ('a.png', 'P', 14),
  ],
)
def test_formats(tmp_path, small, name, mode, within):
  path = _save(tmp_path / name, small.convert(mode))
  _close(load_picture(path), np.asarray(small), within)


def test_16_bit_grey(tmp_path):
  ramp = np.linspace(0, 65535, 60 * 40).reshape(40, 60)
  path = _save(tmp_path / 'a.png', Image.fromarray(ramp.astype(np.uint16)))
  _close(load_picture(path), np.repeat((ramp / 257).round()[..., None], 3, -1), 0.6)


def test_16_bit_dark_grey_stays_dark(tmp_path):
  path = _save(tmp_path / 'a.png', Image.fromarray(np.full((8, 8), 200, np.uint16)))
  assert load_picture(path).max() <= 1


def test_transparency_lies_over_white(tmp_path, small):
  rgba = np.dstack([np.asarray(small), np.full((48, 64), 255, np.uint8)])
  rgba[:, :32, 3] = 0
  got = load_picture(_save(tmp_path / 'a.png', Image.fromarray(rgba)))
  assert (got[:, :32] == 255).all()
  np.testing.assert_array_equal(got[:, 32:], np.asarray(small)[:, 32:])


def test_transparent_palette_colour_is_white(tmp_path):
  image = Image.new('P', (4, 4), 3)
  image.putpalette([0, 0, 0] * 3 + [10, 20, 30])
  path = _save(tmp_path / 'a.gif', image, transparency=3)
  assert (load_picture(path) == 255).all()


def test_first_frame_of_an_animation(tmp_path):
  first, second = (Image.new('RGB', (8, 8), c) for c in ('red', 'blue'))
  path = _save(tmp_path / 'a.gif', first, save_all=True, append_images=[second])
  np.testing.assert_array_equal(load_picture(path)[0, 0], [255, 0, 0])


@pytest.mark.parametrize(('orientation', 'back'), [(3, 180), (6, 270), (8, 90), (1, 0)])
def test_exif_orientation(tmp_path, small, orientation, back):
  exif = Image.Exif()
  exif[0x0112] = orientation
  path = _save(tmp_path / 'a.png', small, exif=exif)
  wanted = small.rotate(back, expand=True)
  np.testing.assert_array_equal(load_picture(path), np.asarray(wanted))


def _jpeg(picture) -> bytes:
  file = io.BytesIO()
  Image.fromarray(picture).save(file, 'JPEG')
  return file.getvalue()


@pytest.mark.parametrize(
  ('data', 'says'),
  [
    (b'just some words', 'not a picture'),
    (b'', 'not a picture'),
    (b'\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'HEIC'),
    (b'\x89PNG\r\n\x1a\n' + b'\0' * 30, 'picture'),
  ],
)
def test_bad_files(tmp_path, data, says):
  path = tmp_path / 'portrait.jpg'
  path.write_bytes(data)
  with pytest.raises(UserError, match=says) as caught:
    load_picture(path)
  assert 'portrait.jpg' in str(caught.value) and '\n' not in str(caught.value)


def test_truncated_picture(tmp_path, picture):
  path = tmp_path / 'a.jpg'
  path.write_bytes(_jpeg(picture)[:9000])
  with pytest.raises(UserError, match='damaged or cut off'):
    load_picture(path)


def test_missing_file_and_folder(tmp_path):
  with pytest.raises(UserError, match='no such file'):
    load_picture(tmp_path / 'none.jpg')
  with pytest.raises(UserError, match='cannot be read'):
    load_picture(tmp_path)


def test_too_many_pixels(tmp_path, monkeypatch, small):
  monkeypatch.setattr(portrait_lib, 'MAX_PIXELS', 1000)
  with pytest.raises(UserError, match='64 x 48 px is too large'):
    load_picture(_save(tmp_path / 'a.png', small))


def _check_framing(found):
  size = found.crop.shape[0]
  points = found.landmarks.points[:, :2]
  brow, chin = points[list(BROWS)].mean(0), points[CHIN]
  assert np.linalg.norm(brow - chin) * portrait_lib.CROP_PER_FACE == pytest.approx(
    size, rel=1e-3
  )
  np.testing.assert_allclose((brow + chin) / 2 / size, portrait_lib.CENTRE, atol=1e-3)


def test_crop_frames_the_face(picture):
  found = find_portrait(picture, 96)
  assert found.crop.shape == (96, 96, 3) and found.crop.dtype == np.uint8
  assert found.faces == 1 and found.notes == ()
  _check_framing(found)
  # The crop shows what the square of the picture shows.
  corners = np.array([[10.0, 20.0], [90.0, 80.0]])
  (left, top), (right, bottom) = found.to_picture(corners)
  piece = Image.fromarray(picture).resize((80, 60), box=(left, top, right, bottom))
  assert np.abs(np.asarray(piece, int) - found.crop[20:80, 10:90]).mean() < 5
  again = found.to_picture(found.landmarks.points[:, :2])
  assert found.points.shape == (468, 2) and found.irises.shape == (2, 5, 2)
  np.testing.assert_allclose(again[1], [222, 126], atol=6)  # the nose tip


@pytest.mark.parametrize('angle', [45, -45, 20])
def test_turned_heads_stay_turned_in_the_crop(picture, angle):
  image = Image.fromarray(picture).rotate(angle, Image.BICUBIC, expand=True)
  turned = np.asarray(image)
  found = find_portrait(turned, 96)
  _check_framing(found)
  assert np.degrees(found.landmarks.roll) == pytest.approx(3 - angle, abs=5)


def test_a_picture_on_its_side_is_refused(picture):
  with pytest.raises(UserError, match='rotate the picture'):
    find_portrait(np.ascontiguousarray(np.rot90(picture)), 96)


def test_crop_beyond_the_border(picture):
  """A face at the edge: what is made up is smooth and the face itself is untouched."""
  tight = picture[60:200, 150:290]
  found = find_portrait(tight, 96)
  assert found.left < 0 and found.top < 0
  _check_framing(found)
  whole = find_portrait(picture, 96)
  inside = np.s_[30:70, 30:66]
  difference = np.abs(found.crop[inside].astype(int) - whole.crop[inside])
  assert difference.mean() < 12
  corner = found.crop[:6, :6].astype(float)
  assert corner.std((0, 1)).max() < 20


def test_no_face():
  with pytest.raises(UserError, match='me.jpg: no face found'):
    find_portrait(np.full((80, 60, 3), 99, np.uint8), name='me.jpg')


def test_two_faces_takes_the_larger_and_says_so(picture):
  small = np.asarray(Image.fromarray(picture).resize((400, 400)))
  both = np.zeros((512, 912, 3), np.uint8)
  both[:400, :400], both[:, 400:] = small, picture
  found = find_portrait(both, 96)
  assert found.faces == 2 and '2 faces found' in found.notes[0]
  assert found.left > 400


def test_face_of_40_px_is_refused_with_its_size(picture):
  small = np.asarray(Image.fromarray(picture).resize((229, 229), Image.LANCZOS))
  with pytest.raises(UserError, match=r'too small, (39|40|41) px .* at least 48 px'):
    find_portrait(small)


def test_soft_source_is_told(picture):
  small = np.asarray(Image.fromarray(picture).resize((330, 330), Image.LANCZOS))
  assert 'larger picture' in find_portrait(small, 512).notes[0]


def test_grey_tall_and_tiny_pictures(picture):
  grey = np.repeat(picture[..., :1], 3, -1)
  tall = np.zeros((1500, 512, 3), np.uint8)
  tall[900:1412] = grey
  _check_framing(find_portrait(tall, 64))
  with pytest.raises(UserError, match='no face'):
    find_portrait(np.zeros((1, 1, 3), np.uint8))


def test_small_face_in_a_photograph(picture):
  scene = np.full((1600, 2000, 3), 90, np.uint8)
  scene[900:1200, 700:1000] = np.asarray(Image.fromarray(picture).resize((300, 300)))
  found = find_portrait(scene, 64)
  _check_framing(found)
  whole = find_portrait(picture, 64)
  np.testing.assert_allclose(
    [found.left, found.top],
    np.array([whole.left, whole.top]) * 300 / 512 + [700, 900],
    atol=6,
  )


def test_how_much_of_the_square_lies_beyond_the_picture(picture):
  assert find_portrait(picture, 64).beyond == 0
  found = find_portrait(np.ascontiguousarray(picture[19:300, 131:400]), 64)
  # Counted pixel by pixel, to the width of one.
  side = np.arange(int(found.side)) + 0.5
  rows, columns = found.top + side, found.left + side
  inside = np.mean((rows > 0) & (rows < 281)) * np.mean((columns > 0) & (columns < 269))
  assert 0.1 < found.beyond < 0.9
  assert found.beyond == pytest.approx(1 - inside, abs=0.01)
