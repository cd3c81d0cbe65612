"""SyncNet against what PyTorch makes of the same weights, layer by layer."""

import importlib.util
import pathlib

import jax
import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.teachers import syncnet
from vasa_jax.teachers.loader import save_npz

HERE = pathlib.Path(__file__).parent / 'references'


def _maker():
  path = HERE / 'make_syncnet.py'
  spec = importlib.util.spec_from_file_location('make_syncnet', path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module


maker = _maker()


@pytest.fixture(scope='module')
def state():
  return maker.random_state()


def test_every_layer_as_in_pytorch(state):
  with np.load(HERE / 'syncnet.npz') as file:
    reference = dict(file)
  params = syncnet.from_torch(state)
  pictures, cepstra = maker.inputs()
  net = syncnet.SyncNet()
  seen = jax.jit(lambda p, x: net.apply({'params': p}, x, method='lip'))(
    params, pictures
  )
  heard = jax.jit(lambda p, x: net.apply({'params': p}, x, method='sound'))(
    params, cepstra
  )
  layers = {**seen, **heard}
  for layer in (*syncnet.LIP, *syncnet.SOUND):
    ours = np.asarray(layers[layer.name])
    flat = ours.reshape(-1)
    wanted = reference[layer.name]
    assert ours.size == np.prod(reference[f'{layer.name}/shape']), layer.name
    assert np.abs(wanted).max() > 0.1, layer.name  # a dead layer would agree with any
    np.testing.assert_allclose(
      flat[maker.places(layer.name, flat.size)], wanted, rtol=2e-4, atol=2e-5,
      err_msg=layer.name,
    )  # fmt: skip
  np.testing.assert_allclose(seen['out'][0], reference['lip'], rtol=1e-3, atol=1e-4)
  np.testing.assert_allclose(heard['out'], reference['sound'], rtol=1e-3, atol=1e-4)
  # the two windows differ by one picture, and so must their vectors
  assert np.abs(seen['out'][0, 0] - seen['out'][0, 1]).max() > 0.01


def test_parameters_of_the_published_net(state):
  shapes = jax.eval_shape(
    syncnet.SyncNet().init,
    jax.random.key(0),
    jax.ShapeDtypeStruct((1, 5, 224, 224, 3), np.float32),
    jax.ShapeDtypeStruct((1, 13, 20), np.float32),
  )['params']
  ours = jax.tree.map(lambda x: x.shape, shapes)
  assert ours == jax.tree.map(np.shape, syncnet.from_torch(state))
  stored = sum(v.size for k, v in state.items() if 'running' not in k)
  assert sum(int(np.prod(x.shape)) for x in jax.tree.leaves(shapes)) == stored


def test_other_weights_are_refused(state, tmp_path):
  with pytest.raises(UserError, match='lack netfclip.3.bias'):
    syncnet.from_torch({k: v for k, v in state.items() if k != 'netfclip.3.bias'})
  other = {**state, 'netcnnlip.0.weight': state['netcnnlip.0.weight'][:, :1]}
  with pytest.raises(UserError, match='netcnnlip.0.weight is'):
    syncnet.from_torch(other)
  save_npz(tmp_path / 'small.npz', {'netcnnaud.0.weight': np.zeros((64, 1, 3, 3))})
  with pytest.raises(UserError, match='lack'):
    syncnet.load_syncnet(tmp_path / 'small.npz')
  with pytest.raises(UserError, match='no weights file'):
    syncnet.load_syncnet(tmp_path / 'syncnet_v2.model')
