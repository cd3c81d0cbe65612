"""Large pictures: against the plain formula, and against crops whose size is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import vasa_jax
from vasa_jax.face import enlarge
from vasa_jax.face.autoencoder import FaceModel
from vasa_jax.face.config import tiny
from vasa_jax.face.pixel_path import Rendering
from vasa_jax.face.prior import Prior
from vasa_jax.nn.warp import screen_grid, warp_picture
from vasa_jax.types import Motion

CELLS = 8
_before_the_rest = jax.jit(enlarge.before_the_rest)


def _layers(rng, frames=2):
  return enlarge.Layers(
    flow=rng.normal(0, 0.1, (frames, CELLS, CELLS, 2)).astype(np.float32),
    share=rng.random((frames, CELLS, CELLS, 1), np.float32),
    rest=rng.normal(0, 0.2, (frames, CELLS, CELLS, 3)).astype(np.float32),
    head=rng.random((frames, CELLS, CELLS, 1), np.float32),
  )


def _still(crop, mask, paint=0.5):
  """What a model that moves nothing would say of a small crop `(h, h, 3)`."""
  crop, size = crop[None], len(crop)
  mask = np.full((1, size, size, 1), mask, np.float32)
  return Rendering(
    picture=mask * crop + (1 - mask) * paint,
    warped=crop,
    mask=mask,
    prior=Prior(None, np.zeros((1, size, size, 6), np.float32)),
    fine_flow=np.zeros((1, size, size, 2), np.float32),
  )


@jax.jit
def _enlarged(layers, crop):
  """All of a crop moves."""
  return enlarge.enlarged(layers, enlarge.solid(crop), jnp.zeros_like(crop))


def _psnr(a, b):
  return -10 * np.log10(np.mean(np.square(a - b)))


# With a band that is not full, less than a band, and smaller than the model.
@pytest.mark.parametrize('side', [5, 37, 70])
def test_is_the_plain_formula(side):
  rng = np.random.default_rng(side)
  layers, crop = _layers(rng), rng.random((1, side, side, 3), np.float32)
  got = _enlarged(layers, crop)

  def up(x):
    shape = (*x.shape[:1], side, side, x.shape[-1])
    return jax.image.resize(x, shape, 'linear', antialias=False)

  place = screen_grid(side) + up(layers.flow)
  crops = jnp.broadcast_to(crop, (2, *crop.shape[1:]))
  wanted = up(layers.rest) + up(layers.share) * warp_picture(crops, place)
  # Places are rounded once in crop units there and once in pixels here.
  np.testing.assert_allclose(got, wanted, atol=5e-5)


def test_what_does_not_move_is_the_crop_itself():
  rng = np.random.default_rng(0)
  crop = rng.random((1, 50, 50, 3), np.float32)
  carried = enlarge.layers(_still(rng.random((CELLS, CELLS, 3), np.float32), 1.0))
  np.testing.assert_allclose(_enlarged(carried, crop), crop, atol=1e-6)
  still = _before_the_rest(_layers(rng), jnp.zeros((2, CELLS, CELLS, 1)))
  both = np.asarray(_enlarged(still, crop))
  np.testing.assert_array_equal(both, np.repeat(crop, 2, 0))


def test_well_inside_the_head_the_model_is_asked_and_its_flow_goes_on_beyond():
  side = 64
  head = np.zeros((1, side, side, 1), np.float32)
  head[:, 20:44, 20:44] = 1
  head[:, 32, 24:40] = 0  # the gap of closed lips
  flow = np.where(head > 0, [0.1, -0.05], [7.0, 7.0]).astype(np.float32)
  flow[:, 32, 24:40] = 0.1, -0.05
  flow[:, 20:22] = 3.0  # torn at the rim
  rest = np.full((1, side, side, 3), 0.3, np.float32)
  share = np.full((1, side, side, 1), 0.4, np.float32)
  layers = enlarge.Layers(flow=flow, share=share, rest=rest, head=head)
  moves = np.ones((1, side, side, 1), np.float32)
  found = jax.tree.map(np.asarray, _before_the_rest(layers, moves))
  middle = slice(26, 38)
  np.testing.assert_allclose(found.rest[:, middle, middle], 0.3, atol=1e-6)
  np.testing.assert_allclose(found.share[:, middle, middle], 0.4, atol=1e-6)
  # Hair above and background beside follow the head, and only the portrait shows there.
  for rows, columns in ((slice(0, 18), slice(0, 64)), (slice(0, 64), slice(48, 64))):
    np.testing.assert_allclose(found.flow[:, rows, columns, 0], 0.1, atol=0.01)
    assert not found.rest[:, rows, columns].any()
    assert (found.share[:, rows, columns] == 1).all()
  half = _before_the_rest(layers, moves / 2)
  np.testing.assert_allclose(half.flow, found.flow / 2, atol=1e-6)
  np.testing.assert_allclose(half.rest, found.rest / 2, atol=1e-6)


def test_a_person_moves_before_a_background_that_does_not():
  rng = np.random.default_rng(4)
  behind = rng.random((1, 48, 48, 3), np.float32)
  person = np.zeros((48, 48, 1), np.float32)
  person[16:32, 16:32] = 1
  colour = rng.random((48, 48, 3), np.float32)
  carried = np.concatenate([person * colour, person], -1)[None]
  shift = np.full((1, CELLS, CELLS, 2), [6 / 48, 0], np.float32)
  moved = _layers(rng, 1).replace(
    flow=shift,
    share=np.ones((1, CELLS, CELLS, 1), np.float32),
    rest=np.zeros((1, CELLS, CELLS, 3), np.float32),
  )
  got = np.asarray(enlarge.enlarged(moved, carried, behind))[0]
  wanted = behind[0].copy()
  wanted[16:32, 10:26] = colour[16:32, 16:32]
  np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_a_part_is_cut_out_of_the_whole():
  """Also the part that ends in the middle of a band, and the one at the border."""
  rng = np.random.default_rng(7)
  side, part_side = 90, 50
  layers = _layers(rng)
  carried = rng.random((1, 2 * side, 2 * side, 4), np.float32)
  behind = rng.random((1, side, side, 3), np.float32)

  @jax.jit
  def part(x, y):
    return enlarge.enlarged(
      layers, carried, behind, enlarge.Part(x, y, part_side, side)
    )

  whole = np.asarray(jax.jit(enlarge.enlarged)(layers, carried, behind))
  for x, y in ((13, 8), (0, 0), (side - part_side, side - part_side)):
    apart = np.abs(part(x, y) - whole[:, y : y + part_side, x : x + part_side])
    assert np.mean(apart > 1e-4) < 1e-3  # `sampled` may round anew


def test_flow_is_in_crop_units():
  rng = np.random.default_rng(2)
  crop = rng.random((1, 64, 64, 3), np.float32)
  moved = _layers(rng, 1).replace(
    flow=np.full((1, CELLS, CELLS, 2), [4 / 64, -8 / 64], np.float32),
    share=np.ones((1, CELLS, CELLS, 1), np.float32),
    rest=np.zeros((1, CELLS, CELLS, 3), np.float32),
  )
  got = np.asarray(_enlarged(moved, crop))
  np.testing.assert_allclose(got[:, 8:, :-4], crop[:, :-8, 4:], atol=1e-6)


@pytest.mark.parametrize(('mask', 'shows'), [(0.85, True), (0.05, False)])
def test_detail_comes_from_the_large_crop(mask, shows):
  """A model that mixes in 15 % of paint shows all fine detail, painted teeth none."""
  path = f'{vasa_jax.__path__[0]}/examples/portrait.jpg'
  image = Image.open(path).convert('RGB').crop((112, 0, 368, 256))
  crop = np.asarray(image, np.float32)[None] / 255
  small = image.resize((64, 64), Image.Resampling.LANCZOS)
  small = np.asarray(small, np.float32) / 255
  blurred = Image.fromarray((small * 255).astype(np.uint8)).resize((16, 16))
  paint = np.asarray(blurred.resize((64, 64)), np.float32) / 255
  rendering = _still(small, mask, paint)
  got = np.asarray(_enlarged(enlarge.layers(rendering), crop))
  shown = Image.fromarray((rendering.picture[0] * 255).astype(np.uint8))
  lanczos = shown.resize((256, 256), Image.Resampling.LANCZOS)
  gain = _psnr(got, crop) - _psnr(np.asarray(lanczos, np.float32) / 255, crop[0])
  assert (gain > 5) == shows and (abs(gain) < 1) != shows


def test_at_the_models_size_it_is_the_models_picture(params):
  config = tiny()
  model, variables = FaceModel(config), {'params': params}
  rng = np.random.default_rng(3)
  picture = rng.random((1, 64, 64, 3), np.float32)
  still = Motion(np.zeros((1, 6), np.float32), np.zeros((1, 54), np.float32))
  pose = np.array([[0.3, 0.1, 0, 0.1, 0, 0], [-0.2, 0, 0.1, 0, 0, 0]], np.float32)
  asked = Motion(pose, rng.random((2, 54), np.float32) * 0.3)

  @jax.jit
  def run(picture):
    vertices = model.bind(variables).template.mean[None]
    code = model.apply(variables, picture, still, vertices, method='encode')
    return model.apply(variables, code, asked, method='decode')

  rendering = run(picture)
  crops = jnp.repeat(picture, 2, 0)
  again = warp_picture(crops, screen_grid(64) + rendering.fine_flow)
  np.testing.assert_allclose(again, rendering.warped, atol=1e-5)
  assert np.abs(rendering.fine_flow).max() > 0.02
  got = _enlarged(enlarge.layers(rendering), picture)
  np.testing.assert_allclose(got, rendering.picture, atol=5e-5)
