"""The geometric prior against the renderer, and flows whose answer is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from data_pipelines.synthetic import assets, shape
from data_pipelines.synthetic.drawing import render
from data_pipelines.synthetic.people import heads
from vasa_jax.face import prior, splat
from vasa_jax.types import Motion

SIZE = 128  # as in `lite`: coarser grids see less
COVERED, SEEN, EYEBALL, MOUTH, TEETH, NEAR = range(6)
JAW = assets.UNITS.index('jawOpen')
BLINK = [assets.UNITS.index(f'eyeBlink{side}') for side in ('Left', 'Right')]


def motion(pose=(0, 0, 0, 0, 0, 0), jaw=0.0, blink=0.0, eyes=(0.0, 0.0)):
  dyn = np.zeros(54, np.float32)
  dyn[JAW], dyn[BLINK], dyn[52:] = jaw, blink, eyes
  return np.array(pose, np.float32), dyn


TURNED = (0.3, 0.1, -0.1, 0.1, 0.02, -0.03)
# name: (source, driver)
CASES = {
  'same': (motion(TURNED, jaw=0.3, eyes=(0.2, 0.1)),) * 2,
  'shift': (motion(), motion((0, 0, 0, 0, 0.06, -0.04))),
  'yaw': (motion(), motion((0.4, 0, 0, 0, 0, 0))),
  'farther': (motion(), motion((0, 0, 0, 0.2, 0, 0))),
  'mouth opens': (motion(), motion(jaw=0.8)),
  'mouth stays open': (motion(jaw=0.8), motion(jaw=0.8)),
  'eyes open': (motion(blink=1.0), motion()),
  'extreme': (motion((1.2, 1, 1, -0.5, 2, -2), 1.4), motion((-1.2, -1, -1, 0.5, 0, 0))),
}


@pytest.fixture(scope='module')
def priors(template):
  """All cases in one call, of the mean head."""
  (from_pose, from_dyn), (to_pose, to_dyn) = (
    map(np.stack, zip(*(case[i] for case in CASES.values()), strict=True))
    for i in range(2)
  )
  vertices = jnp.broadcast_to(template.mean, (len(CASES), *template.mean.shape))
  found = jax.jit(prior.prior_flow, static_argnums=4)(
    template, vertices, Motion(from_pose, from_dyn), Motion(to_pose, to_dyn), SIZE
  )
  rows = zip(np.asarray(found.flow), np.asarray(found.hints), strict=True)
  return dict(zip(CASES, rows, strict=True))


@pytest.mark.parametrize('seed', [5, 2 << 40])
def test_same_geometry_as_the_renderer(template, seed):
  person = heads.sample_identity(seed)
  renderer = render.Renderer(SIZE, 1)
  renderer.load(person, np.zeros((8, 8, 3), np.uint8))
  exact = shape.template_vertices(person)
  fitted = prior.shape_vertices(template, shape.identity_shape(person)[None])[0]
  # Eyes straight on: where the balls' own centres are is tested with the eyes.
  rng = np.random.default_rng(0)
  units = (rng.random(52) * (rng.random(52) < 0.3)).astype(np.float32)
  units[BLINK] = 0  # the renderer draws the balls back behind closing lids
  pose = np.array([0.4, -0.2, 0.15, 0.12, 0.03, -0.02], np.float32)
  everything = renderer.geometry(units, pose, np.zeros(2))
  wanted = np.concatenate(
    [
      everything[renderer.part_slices[name]][index]
      for name, index in shape.selection().items()
    ]
  )
  now = Motion(pose[None], np.append(units, [0, 0]).astype(np.float32)[None])
  # The worst vertex of a head in 64 numbers is an ear or a lobe.
  for vertices, limit in ((exact, 0.003), (fitted, 0.02)):
    posed = prior.pose_head(template, vertices[None], now)
    screen, depth = prior.project(posed, now.z_pose)
    error = np.linalg.norm(screen[0] - wanted[:, :2], axis=-1)
    assert error.max() < limit and error.mean() < 0.003
    assert np.abs(depth[0] - wanted[:, 2]).max() < 0.05


def test_eyes_turn_where_they_are_told(template, head):
  def irises(yaw, pitch):
    now = Motion(jnp.zeros((1, 6)), jnp.zeros((1, 54)).at[0, 52:].set([yaw, pitch]))
    posed = prior.pose_head(template, template.mean[None], now)
    screen = prior.project(posed, now.z_pose)[0][0]
    fronts = []
    for side in (1, 2):
      ball = np.flatnonzero(head.eye == side)
      fronts.append(screen[ball[head.mean[ball, 2].argmax()]])
    return np.stack(fronts)

  ahead = irises(0.0, 0.0)
  right, up = irises(0.3, 0.0) - ahead, irises(0.0, 0.3) - ahead
  assert (right[:, 0] > 0.004).all() and np.abs(right[:, 1]).max() < 1e-3
  assert (up[:, 1] < -0.004).all() and np.abs(up[:, 0]).max() < 1e-3


def test_all_finite_and_in_range(priors):
  for flow, hints in priors.values():
    assert flow.shape == (SIZE, SIZE, 2)
    assert hints.shape == (SIZE, SIZE, prior.PRIOR_CHANNELS)
    assert np.all(np.isfinite(flow)) and np.all(np.isfinite(hints))
    assert hints.min() > -1e-5 and hints.max() < 1 + 1e-5


def test_same_motion_has_no_flow(priors):
  flow, hints = priors['same']
  assert np.abs(flow).max() < 1e-6
  on_head = hints[..., COVERED] > 0.99
  assert 0.15 < on_head.mean() < 0.7
  assert hints[..., SEEN][on_head].mean() > 0.9


def test_shift_is_undone_everywhere_on_the_head(priors):
  flow, hints = priors['shift']
  on_head = hints[..., COVERED] > 0.5
  np.testing.assert_allclose(
    flow[on_head], np.broadcast_to([-0.06, 0.04], flow[on_head].shape), atol=1e-4
  )
  # The head itself has moved right and up: the crown, for the neck is cut off below.
  still = priors['mouth stays open'][1][..., COVERED] > 0.5

  def crown(mask):
    columns = mask[: SIZE // 2].nonzero()[1]
    # The first row that is more than a few stray cells wide.
    return np.array([columns.mean(), np.flatnonzero(mask.sum(1) >= 10)[0]])

  np.testing.assert_allclose(
    crown(on_head) - crown(still), [0.06 * SIZE, -0.04 * SIZE], atol=1.5
  )


def test_turned_right_looks_left_for_its_pixels(priors):
  flow, hints = priors['yaw']
  middle = flow[56:80, 60:80]
  assert (middle[..., 0] < -0.05).all()
  # Cheek and ear that turn into view were hidden in the portrait.
  hidden = (hints[..., COVERED] > 0.9) & (hints[..., SEEN] < 0.3)
  shown = (hints[..., COVERED] > 0.9) & (hints[..., SEEN] > 0.9)
  assert 80 < hidden.sum() < shown.sum()
  assert np.argwhere(hidden)[:, 1].mean() < np.argwhere(shown)[:, 1].mean()


def test_farther_looks_outwards(priors):
  flow, hints = priors['farther']
  on_head = hints[..., COVERED] > 0.99
  y, x = np.argwhere(on_head).T
  outwards = np.stack([(x + 0.5) / SIZE - 0.5, (y + 0.5) / SIZE - 0.5], -1)
  # Screen = 0.5 + X / depth: the ratio of depths, 1.22 at the mean depth and more near.
  slope = (flow[on_head] * outwards).sum() / np.square(outwards).sum()
  assert slope == pytest.approx(np.exp(0.2) - 1, abs=0.04)


def test_opened_mouth_is_not_in_a_closed_portrait(priors):
  def inside(name):
    hints = priors[name][1]
    return hints, hints[..., MOUTH] > 0.5

  hints, mouth = inside('mouth opens')
  assert mouth.sum() >= 40
  row, column = np.argwhere(mouth).mean(0) / SIZE
  assert abs(column - 0.5) < 0.05 and 0.65 < row < 0.82
  unseen = hints[..., SEEN][mouth].mean()
  assert unseen < 0.3
  hints, mouth = inside('mouth stays open')
  # Upper teeth graze the lip before them: cells of both count as half seen.
  seen = hints[..., SEEN][mouth]
  assert mouth.sum() >= 40 and np.median(seen) > 0.7 and seen.mean() > unseen + 0.5
  assert inside('shift')[1].sum() <= 2  # closed lips hide the teeth


def test_opened_eyes_are_not_in_a_sleeping_portrait(priors):
  def ball(name):
    hints = priors[name][1]
    return hints, hints[..., EYEBALL] > 0.5

  hints, eyes = ball('eyes open')
  left, right = eyes[:, : SIZE // 2].sum(), eyes[:, SIZE // 2 :].sum()
  assert min(left, right) >= 8
  awake, eyes_awake = ball('mouth opens')
  assert hints[..., SEEN][eyes].mean() < awake[..., SEEN][eyes_awake].mean() - 0.3


def test_nearness_falls_away_from_the_head(priors):
  hints = priors['shift'][1]
  near = hints[..., NEAR]
  assert near[64, 64] > 0.99 and near[0, 0] < 0.3
  assert (hints[..., COVERED] >= near - 1e-6).all()


def test_pull_push_keeps_samples_and_fills_smoothly():
  total = np.zeros((16, 16, 2), np.float32)
  total[4, 4], total[4, 12] = (0.5, 1.0), (0.5, 1.0)
  total[12, 4], total[12, 12] = (4.0, 2.0), (4.0, 2.0)  # a mean of 2
  value, near = jax.jit(splat.pull_push)(jnp.asarray(total))
  np.testing.assert_allclose(value[4::8, 4::8, 0], [[0.5] * 2, [2.0] * 2], atol=1e-5)
  np.testing.assert_allclose(near[4::8, 4::8], 1.0)
  assert 0.49 < value.min() and value.max() < 2.01
  assert near[0, 15] < 0.3
  assert value[3, 8, 0] < value[8, 8, 0] < value[13, 8, 0]


def test_splats_are_depth_tested():
  screen = jnp.array([[0.4375, 0.4375], [0.4375, 0.4375]])  # cell (3, 3) of 8
  total = splat.splat(
    screen,
    jnp.array([2.0, 5.0]),
    jnp.array([0, 0]),
    jnp.array([[1.0, 1.0], [9.0, 1.0]]),
    8,
  )
  np.testing.assert_allclose(total[3, 3], [1.0, 1.0], atol=1e-6)
  assert np.asarray(total).sum() == pytest.approx(2.0, abs=1e-5)
