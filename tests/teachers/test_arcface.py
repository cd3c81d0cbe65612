"""ArcFace against what PyTorch makes of the same weights (references/)."""

import pathlib

import jax
import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.teachers import arcface

REFERENCE = pathlib.Path(__file__).parent / 'references' / 'arcface.npz'


@pytest.fixture(scope='module')
def reference():
  with np.load(REFERENCE) as file:
    return {name: file[name] for name in file.files}


@pytest.fixture(scope='module')
def state(reference):
  return {k: v for k, v in reference.items() if k not in ('seed', 'out')}


def test_parity_with_pytorch(reference, state):
  config = arcface.config_of(state)
  assert config.stages == (1, 2, 1, 1) and config.embedding == 12
  picture = np.random.default_rng(0).random((2, 112, 112, 3), np.float32)
  params = arcface.from_torch(state)
  out = jax.jit(arcface.ArcFace(config).apply)({'params': params}, picture)
  np.testing.assert_allclose(out, reference['out'], atol=2e-6)
  np.testing.assert_allclose(np.linalg.norm(out, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
  'config, parameters',
  [(arcface.IRESNET18, 24_020_352), (arcface.IRESNET50, 43_579_712),
   (arcface.IRESNET100, 65_131_000)],
)  # fmt: skip
def test_parameters_of_the_published_nets(config, parameters):
  shapes = jax.eval_shape(
    arcface.ArcFace(config).init,
    jax.random.key(0),
    jax.ShapeDtypeStruct((1, 112, 112, 3), np.float32),
  )
  count = sum(int(np.prod(x.shape)) for x in jax.tree.leaves(shapes))
  assert count == pytest.approx(parameters, rel=2e-3)


def test_other_weights_are_refused(state):
  with pytest.raises(UserError, match='not the weights of an ArcFace'):
    arcface.from_torch({'conv1.weight': state['conv1.weight']})
  with pytest.raises(UserError, match='lack layer2.1.bn3.weight'):
    arcface.from_torch({k: v for k, v in state.items() if k != 'layer2.1.bn3.weight'})
