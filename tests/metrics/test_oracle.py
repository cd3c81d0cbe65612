"""The oracle on systems whose score is known, and the real adapters in small."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.face.autoencoder import init_params
from vasa_jax.face.config import tiny
from vasa_jax.metrics import faces, oracle
from vasa_jax.metrics.adapters import bare_warp, face_adapter
from vasa_jax.metrics.oracle import FaceAdapter, OraclePair
from vasa_jax.types import Motion

SIZE = 32


def motion(pose=(0, 0, 0), units=0.0):
  z_pose = np.array([*np.radians(pose), 0, 0, 0], np.float32)
  return Motion(z_pose=z_pose, z_dyn=np.full(54, units, np.float32))


def pairs(count):
  """The answer's grey is its first unit: a model can be right from the motion alone."""
  random = np.random.default_rng(0)
  for i in range(count):
    grey = 10 * (i + 1)
    yield OraclePair(
      f'clip{i // 2}',
      random.integers(0, 255, (SIZE, SIZE, 3), np.uint8),
      motion(),
      np.full((SIZE, SIZE, 3), grey, np.uint8),
      motion(units=grey / 255),
      np.zeros(4, np.float32),
    )


def obedient(error=0.0):
  """Paints what the motion says, off by `error`."""

  def decode(code, wanted):
    return jnp.broadcast_to(wanted.z_dyn[:, :1, None, None] + error, code.shape)

  return FaceAdapter(lambda picture, motion, shape: picture, decode)


def test_scores_are_those_of_the_pairs_in_any_batch():
  systems = {'model': obedient(10 / 255), 'copy': oracle.copy_source()}
  rows = oracle.score_pairs(systems, pairs(5), batch=2)
  assert len(rows) == 10 and {row['clip'] for row in rows} == {
    'clip0',
    'clip1',
    'clip2',
  }
  whole = oracle.score_pairs(systems, pairs(5), batch=5)
  for row, other in zip(
    sorted(rows, key=lambda r: (r['system'], r['l1'])),
    sorted(whole, key=lambda r: (r['system'], r['l1'])),
    strict=True,
  ):
    assert row['psnr'] == pytest.approx(other['psnr'], rel=1e-5)
  for row in rows:
    if row['system'] == 'model':
      assert row['l1'] == pytest.approx(10 / 255, rel=1e-4)
      assert row['psnr'] == pytest.approx(20 * np.log10(255 / 10), rel=1e-4)
    else:
      assert row['l1'] > 0.2


def test_a_perfect_model_and_an_extra_measure():
  rows = oracle.score_pairs(
    {'model': obedient()},
    pairs(3),
    perceptual={'lpips': lambda a, b: jnp.max(abs(a - b), (1, 2, 3))},
  )
  assert [row['psnr'] for row in rows] == [100, 100, 100]
  assert [row['lpips'] for row in rows] == [0, 0, 0]


def test_gains_are_paired():
  systems = {'model': obedient(), 'warp': obedient(10 / 255)}
  rows = oracle.score_pairs(systems, pairs(3))
  gains = oracle.gains(rows, 'warp')
  assert [row['clip'] for row in gains] == ['clip0', 'clip0', 'clip1']
  assert {row['system'] for row in gains} == {'model - warp'}
  np.testing.assert_allclose([row['l1'] for row in gains], -10 / 255, rtol=1e-4)
  assert oracle.gains(rows, 'copy') == []


def test_a_model_with_eyes_of_its_own_is_not_told():
  seeing = FaceAdapter(
    obedient().encode,
    obedient().decode,
    perceive=lambda picture: Motion(z_pose=picture[:, 0, 0], z_dyn=picture[:, 0, 0]),
  )
  lying = [
    OraclePair(p.name, p.source, p.source_motion, p.driver, motion(units=0.9), p.shape)
    for p in pairs(2)
  ]
  assert oracle.score_pairs({'m': seeing}, lying)[0]['psnr'] == 100
  assert oracle.score_pairs({'m': obedient()}, lying)[0]['psnr'] < 10


def test_pose_transfer_of_known_systems(portrait):
  true = faces.mesh_pose(faces.find_mesh(portrait))
  wanted = true + [6.0, -3.0, 0.0]
  pair = OraclePair('p', portrait, motion(true), portrait, motion(wanted), np.zeros(4))
  blank = FaceAdapter(lambda p, m, s: p, lambda code, m: jnp.full_like(code, 0.4))
  true_row, copy, none = oracle.pose_transfer(
    {'copy': oracle.copy_source(), 'blank': blank}, [pair], batch=1
  )
  assert copy['found'] == 1 and copy['pose_error'] == pytest.approx(3, abs=1e-3)
  assert true_row['system'] == 'true picture'
  assert true_row['pose_error'] == pytest.approx(3, abs=1e-3)
  assert 6 < copy['pose_angle'] < 7
  assert none['found'] == 0 and np.isnan(none['pose_error'])


def test_bare_warp_leaves_a_still_head_alone_and_moves_a_turned_one(portrait):
  warp = bare_warp(grid=32)
  picture = jnp.asarray(portrait[None, :128, :128], jnp.float32) / 255
  still = jax.tree.map(lambda x: x[None], motion((5, 0, 0), 0.1))
  turned = jax.tree.map(lambda x: x[None], motion((25, 0, 0), 0.1))
  code = warp.encode(picture, still, jnp.zeros((1, 64)))
  np.testing.assert_allclose(warp.decode(code, still), picture, atol=2e-3)
  assert float(jnp.mean(jnp.abs(warp.decode(code, turned) - picture))) > 0.01


@pytest.mark.slow
def test_our_model_fits_the_adapter():
  config = tiny()
  params = init_params(config, jax.random.key(0))
  size, dyn = config.size, config.dyn_dim
  picture = np.random.default_rng(0).integers(0, 255, (size, size, 3), np.uint8)
  z_dyn = np.zeros(dyn, np.float32)
  label = Motion(z_pose=np.zeros(6, np.float32), z_dyn=z_dyn)
  turned = Motion(z_pose=np.array([0.5, 0, 0, 0, 0, 0], np.float32), z_dyn=z_dyn)
  pair = OraclePair('p', picture, label, picture, turned, np.zeros(64, np.float32))
  told = face_adapter(config, params)
  # Its own eyes see twice the same picture, whatever the labels claim: the head stays.
  seeing = face_adapter(config, params, own_motion=True)
  rows = oracle.score_pairs({'told': told, 'seeing': seeing}, [pair], batch=1)
  assert np.isfinite([row['psnr'] for row in rows]).all()
  assert rows[1]['psnr'] > rows[0]['psnr']
