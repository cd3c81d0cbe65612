"""Light from all around, what hides it, rigs and their exposure."""

import dataclasses

import numpy as np
import pytest

from data_pipelines.synthetic import assets
from data_pipelines.synthetic.drawing import (
  ambient,
  film,
  materials,
  model,
  render,
  scene,
  surface,
)
from data_pipelines.synthetic.people import heads, pieces

GREY = np.full((8, 8, 3), 128, np.uint8)
NOTHING = np.zeros(52, np.float32)
REST, AHEAD = np.zeros(6), np.zeros(2)


def quad(height, half=1.4, texture=None, material=None, name='hat', upright=False):
  """A square piece that hangs from the crown, `height` above it or before the face."""
  top = int(assets.load_assets().vertices[:, 1].argmax())
  x, y = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]).T * half
  flat = np.full(4, height)
  offset = np.stack([x, y - 1.1, flat] if upright else [x, flat, y + 0.4], -1)
  part = assets.Part(
    triangles=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
    uv=np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32),
    ref=np.full((4, 3), top, np.int32),
    weight=np.array([[1, 0, 0]] * 4, np.float32),
    offset=offset.astype(np.float32),
    position_id=np.arange(4, dtype=np.int32),
  )
  texture = np.full((2, 2, 4), 255, np.uint8) if texture is None else texture
  return pieces.Piece(name, part, texture, material or pieces.Material(), rigid=True)


def loaded(person, size=64, supersample=1):
  out = render.Renderer(size, supersample)
  out.load(person, GREY)
  return out


@pytest.fixture(scope='module')
def person():
  return heads.sample_identity(16)


def test_even_surroundings_light_every_normal_by_their_value():
  value = np.array([0.3, 0.6, 0.9], np.float32)
  directions = ambient.spread(300)
  coefficients = ambient.from_radiance(directions, np.broadcast_to(value, (300, 3)))
  closed = np.zeros((9, 3))
  closed[0] = value / 0.282095
  np.testing.assert_allclose(coefficients, closed, atol=0.02)
  normals = ambient.spread(40)
  np.testing.assert_allclose(
    ambient.evaluate(closed, normals), np.broadcast_to(value, (40, 3)), rtol=1e-5
  )


def test_half_a_sky_lights_by_its_closed_form():
  """A sky of 1 above, nothing below: (1 + cos) / 2, exact in these harmonics."""
  directions = ambient.spread(4000)
  above = (directions[:, 1:2] > 0) * np.ones(3)
  got = ambient.evaluate(ambient.from_radiance(directions, above), ambient.spread(50))
  expected = (1 + ambient.spread(50)[:, 1]) / 2
  np.testing.assert_allclose(got, np.repeat(expected[:, None], 3, 1), atol=4e-3)


def shaded(coefficients, normal, albedo, sky=1.0):
  """What `shade_plain` makes of one matt sample without lamps."""
  rows = np.zeros((1, surface.COLUMNS), np.float32)
  rows[0, [surface.NX, surface.NY, surface.NZ]] = normal
  rows[0, [surface.SKY, surface.FACING, surface.LIT, surface.VZ]] = [sky, 1, 1, 1]
  out = np.zeros((1, 4), np.float32)
  none = np.zeros((0, 3), np.float32)
  texels = np.full((1, 4), albedo, np.uint8)
  materials.shade_plain(
    rows, 0, 1, texels, film.LINEAR, 0, 1, 1, np.ones(3, np.float32), 0.0, 20.0, 1.0,
    none, none, ambient.folded(coefficients), False, out,
  )  # fmt: skip
  return out[0, :3]


def test_ambient_is_albedo_times_value_times_open_sky():
  coefficients = np.zeros((9, 3), np.float32)
  coefficients[0] = 0.5 / 0.282095
  normal = [0.0, 0.6, 0.8]
  albedo = film.LINEAR[200]
  np.testing.assert_allclose(shaded(coefficients, normal, 200), 0.5 * albedo, rtol=1e-4)
  half = shaded(coefficients, normal, 200, sky=0.5)
  np.testing.assert_allclose(half, 0.25 * albedo, rtol=1e-4)
  # The kernel reads the same harmonics as `evaluate`.
  rng = np.random.default_rng(0)
  mixed = rng.normal(0, 0.2, (9, 3)).astype(np.float32) + coefficients
  for normal in ambient.spread(6):
    expected = ambient.evaluate(mixed, normal) * albedo
    np.testing.assert_allclose(shaded(mixed, normal, 200), expected, atol=1e-5)


def test_a_hat_hides_the_sky_of_what_is_under_it(person):
  bare = dataclasses.replace(person, parts=tuple(person.parts), pieces=())
  covered = dataclasses.replace(bare, pieces=(quad(0.25),))
  a, b = (loaded(p) for p in (bare, covered))
  skin = a.part_slices['skin']
  before, after = a._mesh.sky[skin], b._mesh.sky[skin]
  assert 0 <= min(before.min(), after.min())
  assert max(before.max(), after.max()) <= 1
  at = assets.load_assets().vertices[assets.load_assets().parts['skin'].ref[:, 0]]
  brow = (at[:, 1] > 7.6) & (at[:, 2] > 0.8)
  assert brow.sum() > 20
  assert after[brow].mean() < 0.9 * before[brow].mean()
  assert (after <= before + 1e-6).all()


def test_holes_of_a_hat_let_the_sky_through(person):
  clear = np.zeros((4, 4, 4), np.uint8)
  veil = quad(0.25, texture=clear, material=pieces.Material(cut_out=True))
  bare, veiled = (
    loaded(dataclasses.replace(person, pieces=worn)) for worn in ((), (veil,))
  )
  skin = bare.part_slices['skin']
  np.testing.assert_array_equal(bare._mesh.sky[skin], veiled._mesh.sky[skin])


def test_a_brim_throws_a_shadow(person):
  above = scene.studio_light()
  above = dataclasses.replace(
    above,
    directions=np.array([[0, 0.8, 0.6]], np.float32),
    colours=np.ones((1, 3), np.float32),
    ambient=above.ambient * np.float32(0.2),
  )
  shown = [
    loaded(dataclasses.replace(person, pieces=worn)).frame(NOTHING, REST, AHEAD, above)
    for worn in ((), (quad(0.05, half=1.6),))
  ]
  face = np.s_[30:40, 26:38]
  bright, dark = (shot.picture[face].mean() for shot in shown)
  assert dark < 0.75 * bright


def test_glass_lets_through_and_mirrors(person):
  texture = np.full((3, 5, 4), (20, 20, 20, 60), np.uint8)
  material = pieces.Material(
    pieces.GLASS, gloss=0.9, see_through=True, casts=False, roughness=200.0
  )
  lens = quad(2.2, 0.6, texture, material, 'glasses', upright=True)
  bare, worn = (
    loaded(dataclasses.replace(person, pieces=p)).frame(
      NOTHING, REST, AHEAD, scene.studio_light()
    )
    for p in ((), (lens,))
  )
  a, b = bare.picture.astype(float), worn.picture.astype(float)
  changed = np.abs(a - b).sum(-1) > 6
  assert changed.sum() > 30
  assert np.corrcoef(a[changed].mean(-1), b[changed].mean(-1))[0, 1] > 0.5
  np.testing.assert_array_equal(bare.points[:, :2].shape, worn.points[:, :2].shape)


def test_a_lens_that_is_clear_and_dull_changes_nothing_but_its_mirror():
  rows = np.zeros((1, surface.COLUMNS), np.float32)
  rows[0, [surface.NZ, surface.VZ, surface.FACING]] = 1
  out = np.zeros((1, 4), np.float32)
  dark = np.zeros((1, 3), np.float32)
  lamps = (np.array([[0, 0, 1]], np.float32), dark, np.zeros((9, 3), np.float32))
  materials.shade_glass(
    rows, 0, 1, np.zeros((1, 4), np.uint8), film.LINEAR, 0, 1, 1,
    np.ones(3, np.float32), 0.9, *lamps, np.eye(3, dtype=np.float32), out,
  )  # fmt: skip
  np.testing.assert_allclose(out[0], [0, 0, 0, materials.COATED], atol=1e-6)


def test_rigs_have_the_promised_form():
  for seed in range(60):
    light = scene.sample_light(np.random.default_rng(seed))
    count = len(light.directions)
    assert 3 <= count <= scene.LIGHTS_AT_MOST and light.colours.shape == (count, 3)
    np.testing.assert_allclose(np.linalg.norm(light.directions, axis=1), 1, atol=1e-5)
    assert light.ambient.shape == (9, 3) and light.ambient.dtype == np.float32
    assert light.colours.min() >= 0 and light.flat().shape == (6 * count + 27,)
    assert ambient.evaluate(light.ambient, ambient.spread(50)).mean() > 0.005


@pytest.mark.parametrize('seed', [9, 22])  # a pale and a dark person
def test_faces_are_neither_black_nor_burnt(seed):
  renderer = loaded(heads.sample_identity(seed), 96)
  skin = renderer.part_slices['skin']
  shares = []
  for rig in range(40):
    light = scene.sample_light(np.random.default_rng(rig))
    shot = renderer.frame(NOTHING, np.array([0.1, 0, 0, 0, 0, 0]), AHEAD, light)
    on_skin = (renderer.point_indices >= skin.start) & (
      renderer.point_indices < skin.stop
    )
    seen = shot.points[on_skin & (shot.points[:, 2] > 0), :2]
    inside = seen[np.abs(seen - 0.5).max(1) < 0.3]
    column, row = (inside * 96).astype(int).T
    values = shot.picture[row, column].astype(int)
    shares.append([(values.max(1) < 12).mean(), (values.min(1) > 250).mean()])
  black, burnt = np.mean(shares, 0)
  assert black < 0.02 and burnt < 0.02


@dataclasses.dataclass
class Place:
  """What a backdrop tells about its light."""

  ambient: np.ndarray
  sun: np.ndarray | None
  sun_colour: np.ndarray


def test_a_place_lends_its_light():
  reddish = np.zeros((9, 3), np.float32)
  reddish[0] = np.array([0.9, 0.4, 0.2]) / 0.282095
  sun = np.array([-0.6, 0.6, 0.529])
  sunny = Place(reddish, sun, np.array([1.0, 0.9, 0.7]))
  light = scene.sample_light(np.random.default_rng(0), sunny)
  np.testing.assert_allclose(light.directions[0], sun, atol=1e-3)
  ratio = light.ambient[0] / reddish[0]
  np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
  dull = scene.sample_light(np.random.default_rng(0), Place(reddish, None, sun))
  assert dull.colours[0, 0] > dull.colours[0, 2]


def test_curvature_is_that_of_a_sphere():
  """Of radius 0.5: every step turns the normal by twice its length."""
  angles = np.linspace(0.4, 2.7, 24)
  turn = np.linspace(0, 2, 24)
  theta, phi = np.meshgrid(angles, turn, indexing='ij')
  normals = np.stack(
    [np.sin(theta) * np.cos(phi), np.cos(theta), np.sin(theta) * np.sin(phi)], -1
  ).reshape(-1, 3)
  index = np.arange(24 * 24).reshape(24, 24)
  a, b, c = index[:-1, :-1].ravel(), index[1:, :-1].ravel(), index[:-1, 1:].ravel()
  bend = ambient.curvature(
    np.stack([a, b, c], 1).astype(np.int32), np.arange(576, dtype=np.int32),
    (0.5 * normals).astype(np.float32), normals.astype(np.float32),
  )  # fmt: skip
  used = np.unique([a, b, c])
  np.testing.assert_allclose(bend[used], 2, rtol=0.01)


def test_relief_has_about_a_texel_for_a_sample(person):
  small, large = loaded(person, 64), loaded(person, 256)
  sides = [int(len(r._relief.still) ** 0.5) for r in (small, large)]
  assert sides[0] == 128 and sides[1] in (256, 512)
  built = model.build_mesh(person)
  rest = small.geometry(NOTHING, REST, AHEAD)[:, :2]
  assert model.relief_side(built.mesh, rest, 4096) == 1024
