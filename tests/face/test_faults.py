"""Each fault that reimplementations of MegaPortraits had, as a test that it would fail.

A generator whose offsets pass a ReLU before the tanh can only bend one way; a field of
offsets added to a grid in [-1, 1] and then normalised as if it were cells samples one
corner; a perceptual loss against the source learns to do nothing; an adversarial term
on a detached picture has no gradient; an adaptive norm without its condition knows
neither the person nor the motion. Beside them, what must hold by construction.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.face import flow, losses
from vasa_jax.face.autoencoder import FaceModel, init_params, without_spectral_norm
from vasa_jax.face.config import tiny
from vasa_jax.face.critic import CriticConfig
from vasa_jax.face.judges import Judges
from vasa_jax.face.losses import LossConfig
from vasa_jax.face.step import init_training, make_loss, model_params
from vasa_jax.nn.blocks import Norm
from vasa_jax.nn.warp import volume_grid
from vasa_jax.types import Motion

KEY = jax.random.key(3)
LEARNED = dataclasses.replace(
  tiny(), size=32, patch=2, motion_size=16, pixel_path=None, anchored=False,
  dyn_dim=12, encoder_channels=(8, 8), volume_channels=8, decoder_channels=(8, 8, 8),
)  # fmt: skip
# 32 px / 2 / 2 = 8 cells, two doublings.
OFF = LossConfig(
  pixel=0.0, gradient=0.0, perceptual=0.0, warped=0.0, paint=0.0, flow=0.0, motion=0.0
)


def loud(params, seed=0, size=0.1):
  """Parameters in which nothing is silent: zero kernels get values."""
  rng = np.random.default_rng(seed)
  params = jax.tree.map(
    lambda x: np.float32(np.asarray(x) + size * rng.normal(size=x.shape)), params
  )
  # Heads that turn a little: far turns leave nothing of the volume in sight.
  out = params['motion_encoder']['pose_out']
  params['motion_encoder']['pose_out'] = jax.tree.map(lambda x: 0.03 * x, out)
  return params


@pytest.fixture(scope='module')
def learned():
  return loud(init_params(LEARNED, jax.random.key(0)))


def poses(seed, count=3):
  scale = [0.4, 0.2, 0.2, 0.1, 0.05, 0.05]
  return (np.random.default_rng(seed).normal(size=(count, 6)) * scale).astype('f4')


def test_offsets_bend_both_ways(learned):
  net = flow.WarpGenerator(LEARNED)
  z_dyn = jax.random.normal(KEY, (4, 12))
  z_id = jax.random.normal(KEY, (4, 4, 4, LEARNED.identity_channels))
  for name in ('warp_source', 'warp_driver'):
    offsets = jax.jit(net.apply)({'params': learned[name]}, z_dyn, z_id)
    share = np.mean(np.asarray(offsets) < 0, (0, 1, 2, 3))
    assert np.all((share > 0.05) & (share < 0.95)), (name, share)
    assert np.abs(offsets).max() <= 1


def test_the_norm_hears_its_condition():
  x = jax.random.normal(KEY, (2, 4, 4, 8))
  norm = Norm()
  params = norm.init(KEY, x, jnp.ones((2, 5)))

  def run(condition):
    return jnp.sum(jnp.sin(norm.apply(params, x, condition)))

  assert np.all(np.abs(jax.grad(run)(jnp.ones((2, 5)))) > 1e-5)


@pytest.mark.parametrize('side', [16, 40])
def test_the_grid_is_normalised_once(side):
  # An offset of one cell in canonical units moves by one cell, at any resolution, and
  # the offsets' own resolution does not matter.
  volume = jax.random.normal(KEY, (1, 4, side, side, 2))
  still = Motion(jnp.zeros((1, 6)), jnp.zeros((1, 1)))
  for axis, name in ((0, 'x'), (1, 'y')):
    offsets = jnp.zeros((1, 4, 8, 8, 3)).at[..., axis].set(2 / side)
    rolled = jnp.roll(volume, -1, 3 - axis)
    for warp in (flow.to_posed, flow.to_canonical):
      moved = warp(volume, still, offsets)
      inner = (slice(None), slice(1, -1), slice(2, -2), slice(2, -2))
      np.testing.assert_allclose(moved[inner], rolled[inner], atol=1e-4, err_msg=name)


def smooth(points):
  """A smooth field of the canonical box with many directions in it, `(..., 2)`."""
  x, y, z = (points[..., i] for i in range(3))
  one = jnp.sin(1.3 * x + 0.4 * y - 0.7 * z)
  return jnp.stack([one, jnp.cos(0.8 * x - 1.1 * y + 0.5 * z)], -1)


@pytest.mark.parametrize('depth', [0.0, -0.4])
@pytest.mark.parametrize('angle', ['yaw', 'pitch', 'roll'])
def test_a_known_rotation_is_the_analytic_one(angle, depth):
  value = 0.35
  pose = np.zeros((1, 6), np.float32)
  pose[0, ('yaw', 'pitch', 'roll').index(angle)] = value
  still = Motion(pose, np.zeros((1, 1), np.float32))
  grid = np.asarray(volume_grid(48, 48, 48), np.float64)
  field = jnp.asarray(smooth(grid), jnp.float32)[None]
  found = flow.to_posed(field, still, jnp.zeros((1, 4, 4, 4, 3)), depth)[0]
  # Written out by hand, in the camera's axes (y up), about the neck.
  pivot = np.array([0, flow.PIVOT[1], depth])
  x, y, z = np.moveaxis((grid - pivot) * [1, -1, 1], -1, 0)
  cos, sin = np.cos(-value), np.sin(-value)  # where each place was before
  back = {
    'yaw': (cos * x + sin * z, y, -sin * x + cos * z),
    'pitch': (x, cos * y - sin * z, sin * y + cos * z),
    'roll': (cos * x - sin * y, sin * x + cos * y, z),
  }[angle]
  places = np.stack(back, -1) * [1, -1, 1] + pivot
  inside = np.all(np.abs(places) < 1 - 1 / 48, -1)
  assert inside.mean() > 0.3
  wanted = np.asarray(smooth(places))
  np.testing.assert_allclose(np.asarray(found)[inside], wanted[inside], atol=1e-3)
  # And back again: to_canonical undoes it, by points exactly.
  posed = flow.posed_coordinates(places[None].astype('f4'), pose, depth)
  np.testing.assert_allclose(posed[0], grid, atol=1e-5)


@pytest.mark.parametrize('depth', [0.0, -0.4])
def test_poses_compose_and_invert(depth):
  points = np.random.default_rng(0).uniform(-1, 1, (3, 2, 3, 4, 3)).astype('f4')
  one, two = poses(1), poses(2)
  posed = flow.posed_coordinates(points, one, depth)
  assert np.abs(posed - points).max() > 0.2
  back = flow.canonical_coordinates(posed, one, depth)
  np.testing.assert_allclose(back, points, atol=1e-5)
  again = flow.canonical_coordinates(flow.posed_coordinates(back, two, depth), two,
                                     depth)  # fmt: skip
  np.testing.assert_allclose(again, points, atol=1e-5)


def test_the_pivot_lies_where_it_is_told():
  pose = poses(4, 1) * [1, 1, 1, 0, 0, 0]
  for depth in (0.0, -0.4):
    pivot = np.asarray(flow.pivot_at(depth)).reshape(1, 1, 1, 1, 3)
    np.testing.assert_allclose(
      flow.posed_coordinates(pivot, pose.astype('f4'), depth), pivot, atol=1e-6
    )


def test_identity_motion_returns_the_canonical_volume():
  volume = jax.random.normal(KEY, (2, 4, 8, 8, 3))
  rest = Motion(jnp.zeros((2, 6)), jnp.zeros((2, 54)))
  offsets = jnp.zeros((2, 4, 8, 8, 3))
  for warp in (flow.to_posed, flow.to_canonical):
    np.testing.assert_allclose(warp(volume, rest, offsets, -0.4), volume, atol=5e-6)


def test_gradient_of_the_warp_against_differences():
  # Linear between its cells and across them: differences meet no kinks.
  slopes = jnp.array([[0.9, -0.5], [0.4, 1.1], [-0.7, 0.6]])
  volume = (volume_grid(6, 10, 10) @ slopes)[None]
  offsets = (volume_grid(4, 4, 4) @ jax.random.normal(KEY, (3, 3)) * 0.05)[None]
  pose = jnp.asarray(poses(5, 1))

  def energy(pose, offsets):
    moved = flow.to_posed(volume, Motion(pose, jnp.zeros((1, 1))), offsets, -0.4)
    # The middle: cells at the border jump where the volume ends.
    return jnp.sum(jnp.sin(moved[:, 2:4, 3:7, 3:7]))

  by_pose, by_offsets = jax.jit(jax.grad(energy, (0, 1)))(pose, offsets)
  energy = jax.jit(energy)
  assert np.any(by_pose) and np.any(by_offsets)
  for axis in range(6):
    step = jnp.zeros((1, 6)).at[0, axis].set(1e-2)
    change = (energy(pose + step, offsets) - energy(pose - step, offsets)) / 2e-2
    assert change == pytest.approx(float(by_pose[0, axis]), rel=0.01, abs=2e-3), axis
  step = 5e-3 * jax.random.normal(jax.random.key(9), offsets.shape)
  change = (energy(pose, offsets + step) - energy(pose, offsets - step)) / 2
  assert change == pytest.approx(float(jnp.sum(step * by_offsets)), rel=0.01)


def test_transferring_i_then_j_is_transferring_j(learned):
  model = FaceModel(LEARNED)

  @jax.jit
  def decode(code, motion):
    return model.apply({'params': learned}, code, motion, method='decode').picture

  @jax.jit
  def encode(picture):
    variables = {'params': learned}
    own = model.apply(variables, picture, method='motion')
    return model.apply(variables, picture, own, method='encode')

  picture = jax.random.uniform(KEY, (1, 32, 32, 3))
  code = encode(picture)
  z = jax.random.normal(KEY, (2, 12))
  i, j = (Motion(jnp.asarray(poses(n, 1)), z[n : n + 1]) for n in range(2))
  first = decode(code, i)
  directly = decode(code, j)
  # The code carries nothing of what it was asked for before.
  again = decode(code, j)
  np.testing.assert_array_equal(again, directly)
  # Nor do neighbours in a batch, nor motion that is taken part by part.
  both = decode(code, jax.tree.map(lambda *x: jnp.concatenate(x), i, j))
  np.testing.assert_allclose(both[1:], directly, atol=2e-5)
  mixed = dataclasses.replace(i, z_pose=j.z_pose)
  np.testing.assert_allclose(
    decode(code, dataclasses.replace(mixed, z_dyn=j.z_dyn)), directly, atol=2e-5
  )
  assert np.abs(first - directly).max() > 1e-3


@pytest.mark.slow
def test_spectral_norm_folds_into_the_gains(learned):
  config = dataclasses.replace(LEARNED, spectral_norm=True)
  model = FaceModel(config)
  bare, folded = without_spectral_norm(config, learned)
  assert not bare.spectral_norm
  picture = jax.random.uniform(KEY, (1, 32, 32, 3))
  driver = Motion(jnp.asarray(poses(1, 1)), jnp.ones((1, 12)))

  def run(model, params):
    return model.apply({'params': params}, picture, None, driver).picture

  wanted = jax.jit(run, static_argnums=0)(model, learned)
  found = jax.jit(run, static_argnums=0)(FaceModel(bare), folded)
  np.testing.assert_allclose(found, wanted, atol=1e-4)
  without = jax.jit(run, static_argnums=0)(FaceModel(bare), learned)
  assert np.abs(without - wanted).max() > 1e-3


# -- which picture a term looks at -----------------------------------------------------


@pytest.fixture(scope='module')
def batch():
  rng = np.random.default_rng(0)
  b, d = 2, 1

  face = np.array([[0.5, 0.66], [0.42, 0.42], [0.58, 0.42]], np.float32)

  def labels(*lead):
    return {
      'centres': face + rng.normal(size=(*lead, 3, 2)).astype('f4') * 0.01,
      'pose': poses(7, int(np.prod(lead))).reshape(*lead, 6),
      'dyn': rng.random((*lead, 54)).astype('f4') * 0.2,
      'points': rng.random((*lead, 5, 3)).astype('f4'),
    }

  batch = {f'source_{k}': v for k, v in labels(b).items()}
  batch |= {f'driver_{k}': v for k, v in labels(b, d).items()}
  # Source all dark, driver all light, stranger between: a teacher can tell them apart.
  batch['source_picture'] = rng.integers(0, 40, (b, 32, 32, 3), dtype=np.uint8)
  batch['driver_picture'] = rng.integers(215, 255, (b, d, 32, 32, 3), dtype=np.uint8)
  batch['stranger_picture'] = rng.integers(100, 140, (b, 32, 32, 3), dtype=np.uint8)
  return batch | {'shape': np.zeros((b, 64), np.float32)}


def against_real(made, real, mask=None):
  """A judge that ignores what was made and tells what it is compared with."""
  return jnp.mean(real) + 0 * jnp.mean(made)


@pytest.mark.parametrize('name', ['perceptual', 'pyramid', 'face', 'gaze'])
def test_judges_compare_with_the_driver(name, learned, batch):
  judges = Judges(*(against_real,) * 4)
  weights = dataclasses.replace(OFF, perceptual_crop=16, **{name: 1.0})
  found = jax.jit(make_loss(LEARNED, weights, judges))(learned, batch, KEY)[1][name]
  scales = {'pyramid': 2, 'face': 2}.get(name, 1)
  assert found / scales > 0.8  # the driver is light, the source is dark


def test_pixels_are_compared_with_the_driver(learned, batch):
  loss = jax.jit(make_loss(LEARNED, dataclasses.replace(OFF, pixel=1.0)))
  value = loss(learned, batch, KEY)[0]
  other = dict(batch, driver_picture=batch['source_picture'][:, None])
  assert abs(float(value - loss(learned, other, KEY)[0])) > 0.01


def test_learned_latents_never_look_at_what_only_a_renderer_knows(learned, batch):
  weights = dataclasses.replace(OFF, pixel=1.0, face=1.0, gaze=1.0, pose=1.0)
  judges = Judges(*(against_real,) * 4)
  loss = jax.jit(make_loss(LEARNED, weights, judges))
  unknown = {
    name: np.zeros_like(value) for name, value in batch.items()
    if name == 'shape' or name.endswith(('_dyn', '_points'))
  }  # fmt: skip
  assert len(unknown) == 5
  value, terms = loss(learned, batch, KEY)
  assert loss(learned, batch | unknown, KEY)[0] == value
  assert terms['gaze'] > 0 and terms['face'] > 0
  elsewhere = dict(batch, driver_centres=batch['driver_centres'] + 0.2)
  assert loss(learned, elsewhere, KEY)[0] != value


@pytest.fixture(scope='module')
def everything(batch):
  """Value, scalars and gradient of all terms for learned latents together."""
  config = dataclasses.replace(
    LEARNED, pivot_depth=-0.4, motion_zoom=1.5, disguise=True
  )

  def distance(made, real):
    return jnp.mean(jnp.abs(made - real))

  def embed(face):
    x = jnp.concatenate([face.mean((1, 2)), face.std((1, 2))], -1)
    return x / jnp.linalg.norm(x, axis=-1, keepdims=True)

  judges = Judges(
    distance, distance, distance, lambda a, b, eyes: distance(a * eyes, b * eyes), embed
  )
  weights = LossConfig(
    perceptual=0.1, perceptual_crop=16, pyramid=1.0, face=1.0, gaze=1.0,
    adversarial=1.0, matching=2.0, critic=CriticConfig((4, 8)), contrastive=1.0,
    identity=1.0, consistency=1.0, consistency_pyramid=1.0, pose=1.0, canonical=1.0,
    mismatch=1.0, mismatch_margin=-1.0, dyn_dropout=0.2,
  )  # fmt: skip
  params = loud(init_training(config, weights, jax.random.key(0)))
  loss = make_loss(config, weights, judges)

  def split(params, batch):
    """The gradient of each term by itself would compile a dozen programs."""
    (value, terms), slope = jax.value_and_grad(loss, has_aux=True)(params, batch, KEY)
    return value, terms, slope

  return weights, params, loss, jax.jit(split)(params, batch)


def test_value_is_the_sum_of_all_terms(everything):
  weights, _, _, (value, terms, _) = everything
  names = set(terms) - {'psnr'}
  assert names == {
    'pixel', 'gradient', 'perceptual', 'pyramid', 'face', 'gaze', 'adversarial',
    'matching', 'critic', 'contrastive', 'identity', 'consistency',
    'consistency_pyramid', 'pose', 'canonical', 'mismatch',
  }  # fmt: skip
  total = sum(
    (1.0 if name == 'critic' else getattr(weights, name)) * terms[name]
    for name in names
  )
  assert value == pytest.approx(float(total), rel=1e-5)


def test_every_part_learns_from_finite_gradients(everything):
  *_, (_, _, slope) = everything
  for path, leaf in jax.tree_util.tree_leaves_with_path(slope):
    assert np.all(np.isfinite(leaf)), jax.tree_util.keystr(path)
  assert set(slope) == {
    'appearance', 'identity', 'motion_encoder', 'warp_source', 'warp_driver', 'g3d',
    'trunk', 'g2d', 'critic',
  }  # fmt: skip
  for name, part in slope.items():
    assert max(float(np.abs(x).max()) for x in jax.tree.leaves(part)) > 1e-6, name


@pytest.mark.slow
def test_adversarial_gradient_reaches_the_generator(learned, batch):
  weights = dataclasses.replace(OFF, adversarial=1.0, critic=CriticConfig((4, 8)))
  params = loud(init_training(LEARNED, weights, jax.random.key(0)))
  slope = jax.jit(jax.grad(lambda p: make_loss(LEARNED, weights)(p, batch, KEY)[0]))(
    params
  )

  def size(tree):
    return max(float(np.abs(x).max()) for x in jax.tree.leaves(tree))

  assert all(size(slope[part]) > 1e-6 for part in ('g2d', 'trunk', 'g3d', 'critic'))
  assert set(model_params(params)) == set(params) - {'critic'}


def test_a_tied_pose_is_moved_by_labels_alone(everything, batch):
  _, params, _, (_, _, slope) = everything
  model = FaceModel(LEARNED)

  @jax.jit
  def labels(params):
    pictures = jnp.concatenate([batch['source_picture'], batch['driver_picture'][:, 0]])
    read = model.apply({'params': params}, pictures / 255, method='motion')
    known = jnp.concatenate([batch['source_pose'], batch['driver_pose'][:, 0]])
    return losses.pose_l2(read.z_pose, known)

  wanted = jax.grad(labels)(params)['motion_encoder']
  for name in ('pose', 'pose_out'):
    jax.tree.map(
      lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4),
      slope['motion_encoder'][name], wanted[name],
    )  # fmt: skip
  assert np.any(wanted['pose_out']['kernel'])
  assert not np.any(wanted['dynamics_out']['kernel'])


@pytest.mark.slow
def test_identity_is_the_sources_in_somebody_elses_motion(learned, batch):
  seen = []

  def embed(face):
    seen.append(face.shape)
    return jnp.ones((face.shape[0], 4)) / 2 + 0 * face.mean()

  weights = dataclasses.replace(OFF, identity=1.0)
  loss = jax.jit(make_loss(LEARNED, weights, Judges(identity=embed)))
  assert loss(learned, batch, KEY)[1]['identity'] == pytest.approx(0.0, abs=1e-6)
  assert seen == [(2, 112, 112, 3)] * 2

  def tint(face):
    x = face.mean((1, 2)) - 0.5
    return x / jnp.linalg.norm(x, axis=-1, keepdims=True)

  loss = jax.jit(make_loss(LEARNED, weights, Judges(identity=tint)))
  plain = loss(learned, batch, KEY)[1]['identity']
  other = dict(batch, stranger_picture=255 - batch['stranger_picture'] // 2)
  assert plain != loss(learned, other, KEY)[1]['identity']  # the stranger drives
  light = dict(batch, driver_picture=batch['driver_picture'] // 2)
  assert plain == loss(learned, light, KEY)[1]['identity']  # the driver does not
