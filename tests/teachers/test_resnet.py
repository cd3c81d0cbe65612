"""The nets of L2CS-Net and Deep3DFaceRecon against PyTorch (references/)."""

import pathlib

import jax
import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.metrics.pose import euler, rotation
from vasa_jax.teachers import face_recon, gaze

REFERENCE = pathlib.Path(__file__).parent / 'references' / 'resnet.npz'
SMALL = {'stages': (1, 2, 1, 1), 'width': 2}
NETS = {
  'l2cs': (gaze.from_torch, gaze.GazeNet, gaze.GazeConfig(**SMALL, bins=6)),
  'recon': (
    face_recon.from_torch, face_recon.ReconNet, face_recon.ReconConfig(**SMALL)
  ),
}  # fmt: skip


def _state(name):
  with np.load(REFERENCE) as file:
    return {
      key.removeprefix(f'{name}/'): file[key]
      for key in file.files
      if key.startswith(f'{name}/')
    }, file[f'out/{name}']


@pytest.mark.parametrize('name', NETS)
def test_parity_with_pytorch(name):
  convert, net, config = NETS[name]
  state, wanted = _state(name)
  picture = np.random.default_rng(0).random((2, 96, 96, 3), np.float32)
  out = jax.jit(net(config).apply)({'params': convert(state, config)}, picture)
  out = out.angles if name == 'l2cs' else out
  np.testing.assert_allclose(out, wanted, atol=1e-4 if name == 'l2cs' else 1e-5)
  assert np.ptp(wanted) > 0.1


def test_published_sizes():
  def count(net, side):
    picture = jax.ShapeDtypeStruct((1, side, side, 3), np.float32)
    shapes = jax.eval_shape(net.init, jax.random.key(0), picture)
    return sum(int(np.prod(x.shape)) for x in jax.tree.leaves(shapes))

  trunk = 23_508_032 - 53_120 // 2  # torchvision's, norms folded to gain and bias
  assert count(gaze.GazeNet(), 448) == pytest.approx(trunk + 2 * 2049 * 90, rel=2e-3)
  assert count(face_recon.ReconNet(), 224) == pytest.approx(trunk + 6147, rel=2e-3)


@pytest.mark.parametrize('name', NETS)
def test_missing_arrays_are_named(name):
  convert, _, config = NETS[name]
  state, _ = _state(name)
  lost = next(key for key in state if key.endswith('layer2.1.bn3.running_var'))
  with pytest.raises(UserError, match='layer2.1.bn3.running_var'):
    convert({k: v for k, v in state.items() if k != lost}, config)


def test_angles_turn_as_the_release_says():
  # about x the face looks down or up, about y right or left, about z it rolls
  angles = np.deg2rad([[10, 0, 0], [0, 10, 0], [0, 0, 10], [12, -25, 7]])
  turned = face_recon.rotation_of(angles)
  np.testing.assert_allclose(euler(turned[:3]), 10 * np.eye(3)[[1, 0, 2]], atol=1e-9)
  np.testing.assert_allclose(turned[3] @ turned[3].T, np.eye(3), atol=1e-12)
  z, y, x = (rotation(p) for p in ((0, 0, 7), (-25, 0, 0), (0, 12, 0)))
  np.testing.assert_allclose(turned[3], z @ y @ x, atol=1e-12)


def test_placement_undoes_scale_and_shift():
  standard = np.array(
    [[-0.3, 0.3, 0.3], [0.3, 0.3, 0.3], [0, 0, 0.7], [-0.25, -0.3, 0.4],
     [0.25, -0.3, 0.4]]
  )  # fmt: skip
  found = standard[:, :2] * [200, -200] + [320, 240]
  placed = face_recon.placement(found, standard)
  at = np.column_stack([found, np.ones(5)]) @ placed.T
  np.testing.assert_allclose(at, standard[:, :2] * [102, -102] + 112, atol=1e-6)
