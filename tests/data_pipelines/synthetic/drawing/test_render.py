"""The renderer keeps its conventions: rotation, shift, distance, units, truth."""

import numpy as np
import pytest

from data_pipelines import errors
from data_pipelines.synthetic import assets
from data_pipelines.synthetic.drawing import points, raster, render, scene
from data_pipelines.synthetic.people import heads

SIZE = 64
GREY = np.full((8, 8, 3), 128, np.uint8)
REST = np.zeros(6)
AHEAD = np.zeros(2)
LIGHT = scene.studio_light()


def units(**amounts):
  out = np.zeros(52, np.float32)
  for name, amount in amounts.items():
    for full in (name, name + 'Left', name + 'Right'):
      if full in assets.UNITS:
        out[assets.UNITS.index(full)] = amount
  return out


def pose(yaw=0.0, pitch=0.0, roll=0.0, ratio=1.0, tx=0.0, ty=0.0):
  return np.array([yaw, pitch, roll, np.log(ratio), tx, ty])


@pytest.fixture(scope='module')
def person():
  return heads.sample_identity(16)


@pytest.fixture(scope='module')
def renderer(person):
  out = render.Renderer(SIZE, supersample=2)
  out.load(person, GREY)
  return out


def part_vertices(renderer, name, screen):
  return screen[renderer.part_slices[name]]


def nose(renderer, screen):
  """The vertex of the skin nearest to the camera at rest."""
  rest = renderer.geometry(units(), REST, AHEAD)
  where = renderer.part_slices['skin']
  return screen[where][rest[where][:, 2].argmin()]


def mouth_gap(renderer, **amounts):
  """Height between two points of the lips, in crop units."""
  screen = part_vertices(
    renderer, 'skin', renderer.geometry(units(**amounts), REST, AHEAD)
  )
  names = {'upper': 'mouthUpperUpLeft', 'lower': 'mouthLowerDownLeft'}
  loaded = assets.load_assets()
  ref = loaded.parts['skin'].ref[:, 0]
  y = {}
  for lip, name in names.items():
    moved = np.linalg.norm(loaded.units[assets.UNITS.index(name)], axis=1)[ref]
    y[lip] = screen[moved.argmax(), 1]
  return y['lower'] - y['upper']


def test_same_arguments_same_bytes(person, renderer):
  other = render.Renderer(SIZE, supersample=2)
  other.load(person, GREY)
  arguments = (units(jawOpen=0.4), pose(0.2, 0.1), np.array([0.1, 0.0]), LIGHT)
  renderer.frame(units(eyeBlink=1), pose(0.5), AHEAD, LIGHT)  # leaves no trace
  a, b = renderer.frame(*arguments), other.frame(*arguments)
  np.testing.assert_array_equal(a.picture, b.picture)
  np.testing.assert_array_equal(a.points, b.points)
  assert a.picture.shape == (SIZE, SIZE, 3) and a.picture.dtype == np.uint8
  assert a.points.shape == (points.POINTS, 3) and a.points.dtype == np.float32


def test_other_person_other_picture(renderer, person):
  other = render.Renderer(SIZE)
  other.load(heads.sample_identity(17), GREY)
  a = renderer.frame(units(), REST, AHEAD, LIGHT).picture.astype(int)
  b = other.frame(units(), REST, AHEAD, LIGHT).picture
  assert np.abs(a - b).mean() > 5


def test_rotation_matrix_matches_its_rotation_vector():
  matrix = render.rotation(0.4, -0.3, 0.2)
  np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
  x, y, z = render.rotation_vector(matrix)
  angle = np.linalg.norm([x, y, z])
  skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) / angle
  rebuilt = np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew
  np.testing.assert_allclose(rebuilt, matrix, atol=1e-12)


def test_yaw_pitch_and_roll_go_the_right_way(renderer):
  rest = renderer.geometry(units(), REST, AHEAD)
  x, y, _ = nose(renderer, rest)
  right = nose(renderer, renderer.geometry(units(), pose(yaw=0.3), AHEAD))
  assert right[0] - x > 0.05
  down = nose(renderer, renderer.geometry(units(), pose(pitch=0.3), AHEAD))
  assert down[1] - y > 0.05
  # Counter-clockwise: the eye at the right of the picture rises.
  rolled = renderer.geometry(units(), pose(roll=0.3), AHEAD)
  eyes, before = (part_vertices(renderer, 'eyes', s) for s in (rolled, rest))
  at_right = before[:, 0] > np.median(before[:, 0])
  at_left = ~at_right
  rise = eyes[at_left, 1].mean() - eyes[at_right, 1].mean()
  assert rise > 0.05


def test_head_turns_by_the_exact_rotation(renderer, person):
  """Points of the face: the screen agrees with the formula, written out."""
  p = pose(0.25, -0.15, 0.1, 1.1, 0.03, -0.02)
  where = renderer.part_slices['eyes']
  mesh = renderer._mesh
  at_rest = (mesh.neutral[mesh.ref[where]] * mesh.weight[where][..., None]).sum(1)
  at_rest = at_rest + mesh.offset[where]
  turned = (at_rest - person.pivot) @ render.rotation(*p[:3]).T
  from_target = turned - [0, render.TARGET_HEIGHT, 0]
  distance = render.CAMERA_DISTANCE * 1.1 - from_target[:, 2]
  scale = 1 / (2 * np.tan(np.radians(12)) * distance)
  x = 0.5 + from_target[:, 0] * scale + 0.03
  y = 0.5 - from_target[:, 1] * scale - 0.02
  got = renderer.geometry(units(), p, AHEAD)[where]
  np.testing.assert_allclose(got, np.stack([x, y, distance], 1), atol=2e-5)


def test_torso_does_not_turn(renderer, person):
  cloth = [
    part_vertices(renderer, person.cloth, renderer.geometry(units(), p, AHEAD))
    for p in (REST, pose(yaw=0.5))
  ]
  moved = np.abs(cloth[0] - cloth[1])[:, :2].max(1)
  shoulders = np.abs(cloth[0][:, 0] - 0.5) > 0.35
  assert shoulders.sum() > 100
  assert moved[shoulders].max() < 0.01
  fixed = renderer._mesh.turn[renderer.part_slices[person.cloth]] == 0
  assert fixed.sum() > 200
  np.testing.assert_array_equal(cloth[0][fixed], cloth[1][fixed])
  assert nose(renderer, renderer.geometry(units(), pose(yaw=0.5), AHEAD))[0] > 0.6


def test_a_body_that_turns_like_the_head_turns_everything(renderer, person):
  """Every vertex, neck and clothes too, goes by the formula written out."""
  p = pose(0.25, -0.15, 0.1)
  got = renderer.geometry(units(), p, AHEAD, p[:3])
  rest = renderer._move(units(), REST, AHEAD, None).positions
  turned = (rest - person.pivot) @ render.rotation(*p[:3]).T
  from_target = turned - [0, render.TARGET_HEIGHT, 0]
  distance = render.CAMERA_DISTANCE - from_target[:, 2]
  scale = 1 / (2 * np.tan(np.radians(12)) * distance)
  x, y = 0.5 + from_target[:, 0] * scale, 0.5 - from_target[:, 1] * scale
  np.testing.assert_allclose(got, np.stack([x, y, distance], 1), atol=5e-5)


def test_the_body_turns_below_a_still_head(renderer, person):
  upright = renderer.geometry(units(), REST, AHEAD)
  swayed = renderer.geometry(units(), REST, AHEAD, np.array([0.2, 0.0, 0.05]))
  head = renderer._mesh.turn > 0.9999
  np.testing.assert_allclose(upright[head], swayed[head], atol=1e-4)
  cloth = renderer.part_slices[person.cloth]
  assert np.abs(upright[cloth] - swayed[cloth]).max() > 0.03


@pytest.mark.parametrize('fov', [14.0, 40.0, 55.0])
@pytest.mark.parametrize('ratio', [1.0, 1.25])
def test_a_lens_keeps_the_size_of_the_face(renderer, person, fov, ratio):
  def apart(out):
    eyes = part_vertices(out, 'eyes', out.geometry(units(), pose(ratio=ratio), AHEAD))
    left = eyes[:, 0] < np.median(eyes[:, 0])
    return eyes[~left, 0].mean() - eyes[left, 0].mean()

  other = render.Renderer(SIZE, supersample=1)
  other.load(person, GREY, fov)
  np.testing.assert_allclose(apart(other), apart(renderer), rtol=0.02)
  # The perspective is another: what is nearer than the eyes is larger on the screen.
  noses = [nose(r, r.geometry(units(), REST, AHEAD))[2] for r in (renderer, other)]
  assert (noses[1] < noses[0]) == (fov > render.VIEW)
  np.testing.assert_array_equal(other.point_indices, renderer.point_indices)
  tracked = other.frame(units(), REST, AHEAD, LIGHT).points
  screen = other.geometry(units(), REST, AHEAD)[other.point_indices]
  np.testing.assert_allclose(tracked[:, :2], screen[:, :2], atol=1e-4)
  assert tracked[:, 2].sum() > points.POINTS / 3


def test_shift_moves_everything_by_the_same(renderer):
  rest = renderer.geometry(units(), REST, AHEAD)
  moved = renderer.geometry(units(), pose(tx=0.125, ty=-0.0625), AHEAD)
  expected = np.broadcast_to([0.125, -0.0625, 0], rest.shape)
  np.testing.assert_allclose(moved - rest, expected, atol=1e-5)


def test_shift_moves_the_picture(renderer):
  a = renderer.frame(units(), REST, AHEAD, LIGHT).picture
  b = renderer.frame(units(), pose(tx=8 / SIZE), AHEAD, LIGHT).picture
  np.testing.assert_array_equal(a[:40, 8:48], b[:40, 16:56])


def test_farther_is_smaller_by_the_ratio(renderer):
  """Of points at the depth of the target, exactly; so of the eyes' distance."""
  near = renderer.geometry(units(), REST, AHEAD)
  far = renderer.geometry(units(), pose(ratio=1.5), AHEAD)
  flat = np.abs(near[:, 2] - render.CAMERA_DISTANCE) < 0.02
  assert flat.sum() > 20
  np.testing.assert_allclose(
    (near[flat, :2] - 0.5) / 1.5, far[flat, :2] - 0.5, atol=2e-3
  )


def test_jaw_opens_the_mouth(renderer):
  assert mouth_gap(renderer, jawOpen=0.8) - mouth_gap(renderer) > 0.03


def test_jaw_opens_the_mouth_of_the_picture(renderer):
  closed = renderer.frame(units(), REST, AHEAD, LIGHT).picture.astype(int)
  opened = renderer.frame(units(jawOpen=1), REST, AHEAD, LIGHT).picture
  change = np.abs(closed - opened).sum(-1)
  rows = np.nonzero(change.sum(1) > 60)[0]
  assert change.max() > 90
  eyes = renderer.geometry(units(), REST, AHEAD)[renderer.part_slices['eyes'], 1]
  assert rows.min() > eyes.mean() * SIZE


def test_blink_hides_the_eyeballs(renderer, person):
  eye = renderer.part_slices['eyes']
  tracked = (renderer.point_indices >= eye.start) & (renderer.point_indices < eye.stop)
  assert tracked.sum() == points.POINT_SHARES['eyes']
  large = render.Renderer(160, supersample=2)
  large.load(person, GREY)
  shown = [
    large.frame(units(eyeBlink=blink), REST, AHEAD, LIGHT).points[tracked, 2].sum()
    for blink in (0.0, 1.0)
  ]
  assert shown[0] >= 6
  assert shown[1] <= shown[0] / 3


def test_eyes_turn_right_and_up(renderer):
  def pupils(eyes):
    screen = part_vertices(renderer, 'eyes', renderer.geometry(units(), REST, eyes))
    pole = np.linalg.norm(renderer._mesh.uv[renderer.part_slices['eyes']] - 0.5, axis=1)
    return screen[pole < 1e-3, :2].mean(0)

  rest = pupils(AHEAD)
  assert pupils(np.array([0.3, 0]))[0] - rest[0] > 0.01
  assert rest[1] - pupils(np.array([0, 0.3]))[1] > 0.01


def test_eyeballs_ignore_face_units(renderer):
  a, b = (
    part_vertices(renderer, 'eyes', renderer.geometry(u, REST, AHEAD))
    for u in (units(), units(eyeLookUp=1, eyeSquint=1))
  )
  np.testing.assert_array_equal(a, b)


def test_points_are_vertices_of_the_geometry(renderer):
  p, u, eyes = pose(0.3, -0.1, 0.1, 1.1, 0.02, 0.03), units(jawOpen=0.5), [0.1, 0.1]
  frame = renderer.frame(u, p, eyes, LIGHT)
  screen = renderer.geometry(u, p, eyes)
  np.testing.assert_allclose(
    frame.points[:, :2], screen[renderer.point_indices, :2], atol=1e-4
  )
  assert set(np.unique(frame.points[:, 2])) == {0.0, 1.0}
  assert len(set(renderer.point_indices)) == points.POINTS


def test_visible_points_lie_on_the_person(renderer):
  """Against a loud green backdrop, what is called visible is not green."""
  green = render.Renderer(SIZE, supersample=2)
  green.load(renderer.identity, np.full((8, 8, 3), (0, 255, 0), np.uint8))
  frame = green.frame(units(), pose(yaw=0.4), AHEAD, LIGHT)
  seen = frame.points[frame.points[:, 2] > 0, :2]
  assert len(seen) > points.POINTS / 3
  column, row = (seen * SIZE).astype(int).T
  r, g, b = frame.picture[row, column].astype(int).T
  on_backdrop = (g > 200) & (r < 60) & (b < 60)
  assert on_backdrop.mean() < 0.03


def test_far_cheek_is_hidden_in_profile(renderer):
  frontal = renderer.frame(units(), REST, AHEAD, LIGHT).points
  side = renderer.frame(units(), pose(yaw=1.1), AHEAD, LIGHT).points
  at_right = (frontal[:, 0] > 0.56) & (frontal[:, 1] < 0.75) & (frontal[:, 2] > 0)
  at_left = (frontal[:, 0] < 0.44) & (frontal[:, 1] < 0.75) & (frontal[:, 2] > 0)
  assert side[at_left, 2].mean() > side[at_right, 2].mean() + 0.3


def test_points_outside_the_picture_are_not_visible(renderer):
  tracked = renderer.frame(units(), pose(tx=0.5), AHEAD, LIGHT).points
  outside = (tracked[:, 0] >= 1) | (tracked[:, 1] >= 1)
  assert outside.sum() > 50
  assert tracked[outside, 2].sum() == 0


def test_points_are_the_same_at_every_size():
  person = heads.sample_identity(2)  # with hair
  renderer, other = render.Renderer(SIZE), render.Renderer(256, supersample=1)
  renderer.load(person, GREY)
  other.load(person, GREY)
  assert any(piece.name.startswith('hair') for piece in person.pieces)
  np.testing.assert_array_equal(other.point_indices, renderer.point_indices)
  a = renderer.frame(units(), REST, AHEAD, LIGHT).points
  b = other.frame(units(), REST, AHEAD, LIGHT).points
  np.testing.assert_allclose(a[:, :2], b[:, :2], atol=1e-5)


def test_sizes_agree(renderer, person):
  """A picture of twice the size, averaged, is nearly the small one."""
  large = render.Renderer(2 * SIZE, supersample=1)
  large.load(person, GREY)
  small = renderer.frame(units(), REST, AHEAD, LIGHT).picture
  big = large.frame(units(), REST, AHEAD, LIGHT).picture
  mean = big.reshape(SIZE, 2, SIZE, 2, 3).mean((1, 3))
  assert np.abs(mean - small).mean() < 4


def test_background_comes_through_the_film_curve(renderer):
  picture = renderer.frame(units(), REST, AHEAD, LIGHT).picture
  assert np.abs(picture[:3, :3].astype(int) - 128).max() <= 1


def test_head_fits_in_the_crop():
  """Brow to chin is near 45 % of the crop at ratio 1, and the hair fits."""
  tall, heights = [], []
  for seed in range(12):
    out = render.Renderer(SIZE)
    person = heads.sample_identity(seed)
    out.load(person, GREY)
    screen = out.geometry(units(), REST, AHEAD)
    hair = [n for n in out.part_slices if n.startswith('hair')] or ['skin']
    top = min(part_vertices(out, name, screen)[:, 1].min() for name in hair)
    skin = part_vertices(out, 'skin', screen)
    ref = assets.load_assets().parts['skin'].ref[:, 0]
    base = assets.load_assets().vertices[ref]
    chin = (np.abs(base - [0, 6.16, 1.23]) < 0.03).all(1)
    heights.append(
      skin[chin, 1].mean() - part_vertices(out, 'brow', screen)[:, 1].mean()
    )
    tall.append(top < 0)
  assert 0.40 < np.mean(heights) < 0.48
  assert np.mean(tall) < 0.2


def test_rasteriser_agrees_with_a_slow_one():
  """Coverage, nearest triangle and barycentrics of random triangles."""
  rng = np.random.default_rng(0)
  screen = rng.uniform(0, 12, (30, 3)).astype(np.float32)
  screen[:, 2] = -rng.uniform(0.1, 0.2, 30)
  triangles = np.arange(30, dtype=np.int32).reshape(-1, 3)
  empty = np.zeros((0, 3), np.float32)
  mesh = raster.Mesh(
    neutral=empty,
    units=empty[None],
    ref=triangles[:0],
    weight=empty,
    offset=empty,
    eye=np.zeros(0, np.int32),
    eye_centres=empty,
    turn=empty[:, 0],
    pivot=np.zeros(3, np.float32),
    sky=empty[:, 0],
    bend=empty[:, 0],
    flush=empty[:, 0],
    uv=np.zeros((30, 2), np.float32),
    position_id=np.zeros(0, np.int32),
    triangles=triangles,
    starts=np.zeros(1, np.int32),
  )
  buffers = raster.new_buffers(12)
  texels = np.zeros((1, 4), np.uint8)
  raster.fill(buffers, screen, mesh, 0, 10, False, texels, 0, 1, 1, False, False)
  expected = np.full((12, 12), -1)
  nearest = np.full((12, 12), np.inf)
  for t, corners in enumerate(screen.astype(float).reshape(10, 3, 3)):
    edges = np.concatenate([corners[:, :2].T, np.ones((1, 3))])
    for y in range(12):
      for x in range(12):
        w = np.linalg.solve(edges, [x + 0.5, y + 0.5, 1])
        if w.min() >= 0 and w @ corners[:, 2] < nearest[y, x]:
          nearest[y, x] = w @ corners[:, 2]
          expected[y, x] = t
  assert (expected >= 0).sum() > 20
  np.testing.assert_array_equal(buffers.triangle, expected)
  hit = expected >= 0
  np.testing.assert_allclose(buffers.depth[hit], nearest[hit], atol=1e-5)


def test_misuse_is_told_in_one_line(renderer):
  with pytest.raises(errors.UsageError, match='load'):
    render.Renderer(SIZE).frame(units(), REST, AHEAD, LIGHT)
  with pytest.raises(errors.UsageError, match='52'):
    renderer.frame(np.zeros(51), REST, AHEAD, LIGHT)
  with pytest.raises(errors.UsageError, match='size'):
    render.Renderer(4)
  with pytest.raises(errors.UsageError, match='fov'):
    render.Renderer(SIZE).load(heads.sample_identity(0), GREY, 180.0)
