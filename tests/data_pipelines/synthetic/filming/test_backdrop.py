import numpy as np
import pytest

from data_pipelines.synthetic.drawing import ambient
from data_pipelines.synthetic.filming import backdrop, canvas, environment

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def draw(seed, size=64):
  return backdrop.sample_backdrop(np.random.default_rng(seed), size)


@pytest.fixture(scope='module')
def places():
  return [draw(seed) for seed in range(200)]


def test_the_same_seed_gives_the_same_bytes():
  for seed in range(12):
    one, other = draw(seed), draw(seed)
    np.testing.assert_array_equal(one.picture, other.picture)
    np.testing.assert_array_equal(one.ambient, other.ambient)
    assert one.kind == other.kind


def test_shapes_and_types(places):
  for place in places:
    assert place.picture.shape == (64, 64, 3) and place.picture.dtype == np.uint8
    assert place.ambient.shape == (9, 3) and place.ambient.dtype == np.float32
    assert place.sun_colour.shape == (3,) and place.sun_colour.dtype == np.float32
    assert np.isfinite(place.ambient).all()
    if place.sun is None:
      assert not place.sun_colour.any()
    else:
      assert abs(np.linalg.norm(place.sun) - 1) < 1e-5
      assert place.sun[1] > 0 and place.sun_colour.min() > 0


def test_light_is_exposed_sanely(places):
  for place in places:
    low, high = (
      backdrop.NIGHT_AMBIENT if 'night' in place.kind else backdrop.DAY_AMBIENT
    )
    assert low * 0.95 < place.brightness < high * 1.05, place.kind
    # no normal is lit by less than nothing, and few pictures are black or burnt out
    lit = ambient.harmonics(ambient.spread(128)) @ place.ambient
    assert lit.min() > -0.1 * place.brightness, place.kind
  level = np.array([place.picture.mean() for place in places])
  assert 5 < level.min() and level.max() < 252
  assert 70 < np.median(level) < 150


def test_places_are_various_and_not_flat(places):
  assert len({place.kind for place in places}) > 20
  assert 0.1 < np.mean([place.sun is not None for place in places]) < 0.4
  detail = [place.picture.astype(float).std((0, 1)).mean() for place in places]
  assert np.mean(np.array(detail) > 10) > 0.75


@pytest.mark.parametrize('size', [16, 256, 300, 512])
def test_the_draw_does_not_depend_on_the_size(size):
  import cv2

  for seed in range(6):
    small, large = draw(seed), draw(seed, size)
    assert large.picture.shape == (size, size, 3) and large.kind == small.kind
    one, other = (
      cv2.resize(p.picture, (16, 16), interpolation=cv2.INTER_AREA).astype(float)
      for p in (small, large)
    )
    assert np.abs(one - other).mean() < 4
    np.testing.assert_allclose(large.ambient, small.ambient, atol=0.03)


def test_a_call_leaves_the_stream_where_the_size_does_not_matter():
  ends = []
  for size in (32, 512):
    rng = np.random.default_rng(5)
    backdrop.sample_backdrop(rng, size)
    ends.append(rng.random())
  assert ends[0] == ends[1]


def brute_force(radiance_of, normal, count=20000):
  directions = ambient.spread(count)
  cosine = np.maximum(directions @ normal, 0)[:, None]
  return (radiance_of(directions) * cosine).sum(0) * 4 / count


def test_light_of_a_known_place_is_the_integral_over_it():
  grey = np.linspace(0.1, 0.9, 6)[:, None] * np.array([1.0, 0.9, 0.7])
  sun = np.array([0.6, 0.64, 0.48])
  around = environment.Surroundings(
    *grey[:5], lobes=((sun, np.array([1.0, 0.8, 0.5]), 3.0),)
  )
  picture = np.random.default_rng(0).random((8, 8, 3)) * 0.5

  def radiance_of(directions):
    return around.radiance(directions, picture)

  directions = ambient.spread(backdrop.DIRECTIONS)
  light = ambient.from_radiance(directions, radiance_of(directions))
  for normal in ambient.spread(40):
    expected = brute_force(radiance_of, normal)
    np.testing.assert_allclose(ambient.evaluate(light, normal), expected, rtol=0.05)


def test_a_constant_place_lights_all_round_alike():
  value = np.array([0.2, 0.5, 0.8])
  around = environment.Surroundings(*[value] * 5)
  directions = ambient.spread(backdrop.DIRECTIONS)
  radiance = around.radiance(directions, np.tile(value, (4, 4, 1)))
  np.testing.assert_allclose(radiance, np.tile(value, (len(directions), 1)), rtol=1e-5)
  light = ambient.from_radiance(directions, radiance)
  lit = ambient.evaluate(light, ambient.spread(50))
  np.testing.assert_allclose(lit, np.tile(value, (50, 1)), rtol=0.01)


def test_light_comes_from_where_the_surroundings_are_bright():
  dark, bright = np.full(3, 0.05), np.full(3, 1.0)
  around = environment.Surroundings(bright, dark, dark, dark, dark)
  directions = ambient.spread(backdrop.DIRECTIONS)
  radiance = around.radiance(directions, np.full((4, 4, 3), 0.05))
  light = ambient.from_radiance(directions, radiance)
  normals = np.array([[0, 1, 0], [0, -1, 0], [-1, 0, 0]], float)
  up, down, left = ambient.evaluate(light, normals).mean(1)
  assert up > 2 * left > 2 * down


def test_out_of_focus_points_are_discs():
  light = np.zeros((64, 64, 3), np.float32)
  light[32, 32] = 100
  disc = canvas.defocus(light, 5 / 64)[..., 0]
  assert abs(disc.sum() - 100) < 0.5
  assert disc[32, 32] == pytest.approx(disc[32, 35], rel=1e-3)  # flat, no bell
  assert disc[32, 40] == pytest.approx(0, abs=1e-3)
  np.testing.assert_array_equal(canvas.defocus(light, 0.0), light)


def test_a_polygon_covers_its_area():
  paper = canvas.Canvas(256, 2.0)
  paper.polygon([(0.5, 0.25), (1.5, 0.25), (1.0, 0.75)], (1.0, 2.0, 0.0))
  assert paper.light.shape == (256, 512, 3)
  area = paper.light.sum((0, 1)) / 256**2
  np.testing.assert_allclose(area, (0.25, 0.5, 0), atol=0.02)
  paper.box(0, 0, 2, 1, (0.5, 0.5, 0.5))
  assert (paper.light == 0.5).all()
