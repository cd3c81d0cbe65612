"""I3D against a rendition in PyTorch (`references/make_i3d.py` made the figures)."""

import importlib.util
from pathlib import Path

import jax
import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.teachers import fetch, i3d
from vasa_jax.teachers.loader import nest

_FILE = Path(__file__).with_name('references') / 'make_i3d.py'
_SPEC = importlib.util.spec_from_file_location('make_i3d', _FILE)
reference = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(reference)

NARROW = i3d.I3DConfig(
  stem=reference.STEM,
  mixed=tuple((name, reference.NARROW) for name in reference.BLOCKS),
  classes=reference.CLASSES,
)
PYTORCH = {  # of a clip of 16 frames, by its side
  224: (-0.18770837783813477, 0.3646507263183594, -0.7703654766082764,
        0.23327994346618652, -3.0224716663360596),
  96: (-0.1894066333770752, 0.3623392581939697, -0.7689962983131409,
       0.23530089855194092, -3.0239996910095215),
}  # fmt: skip
# The first eight of 400 logits of 25 frames under the published weights.
PUBLISHED = (
  1.2787864208221436, 6.915476322174072, 11.682586669921875, 8.51286792755127,
  -0.09233752638101578, 10.931193351745605, 1.681605339050293, -0.21156568825244904,
)  # fmt: skip


@pytest.fixture(scope='module')
def logits():
  params = nest(i3d.from_torch(reference.narrow_state()))

  @jax.jit
  def forward(clip):
    return i3d.I3D(NARROW).apply({'params': params}, i3d.to_input(clip[None]))[0]

  return forward


@pytest.mark.parametrize('side', [224, 96])
def test_agrees_with_pytorch(logits, side):
  found = logits(reference.clip(side=side))
  np.testing.assert_allclose(found, PYTORCH[side], atol=2e-6)


def test_time_matters_and_mirroring_too(logits):
  clip = reference.clip()
  still = np.repeat(clip[:1], len(clip), 0)
  for other in (still, clip[::-1], clip[:, :, ::-1]):
    assert np.abs(np.asarray(logits(clip) - logits(other))).max() > 1e-4


def test_the_two_layouts_are_one_net():
  state = reference.narrow_state()
  arrays = {}
  for name, theirs in i3d.unit_names().items():
    at = name.replace('/', '.')
    kernel = state[f'{at}.conv3d.weight'].transpose(2, 3, 4, 1, 0)
    state[f'{at}.bn.weight'] = np.ones_like(state[f'{at}.bn.weight'])
    arrays[f'params/{theirs}/Conv_0/kernel'] = kernel
    arrays[f'params/{theirs}/BatchNorm_0/bias'] = state[f'{at}.bn.bias']
    for theirs_stat, stat in (('mean', 'running_mean'), ('var', 'running_var')):
      stored = state[f'{at}.bn.{stat}'].reshape(1, 1, 1, 1, -1)  # as the package has it
      arrays[f'batch_stats/{theirs}/BatchNorm_0/{theirs_stat}'] = stored
  last = 'params/Logits/Conv3d_0c_1x1/Conv_0'
  arrays[f'{last}/kernel'] = state['logits.conv3d.weight'].transpose(2, 3, 4, 1, 0)
  arrays[f'{last}/bias'] = state['logits.conv3d.bias']
  one, other = i3d.from_jax(arrays), i3d.from_torch(state)
  assert one.keys() == other.keys()
  for name in one:
    np.testing.assert_array_equal(one[name], other[name])


def test_published_size():
  shapes = jax.eval_shape(
    i3d.I3D().init, jax.random.key(0), np.zeros((1, 25, 224, 224, 3), np.float32)
  )['params']
  count = sum(int(np.prod(x.shape)) for x in jax.tree.leaves(shapes))
  # PyTorch's 12,697,264 less the 7,280 gains of the norms, which are folded.
  assert count == 12_689_984
  assert shapes['Logits']['kernel'].shape == (1024, 400)


def test_refusals():
  with pytest.raises(UserError, match='Conv3d_1a_7x7.conv3d.weight is missing'):
    i3d.from_torch({})
  with pytest.raises(ValueError, match='9 frames'):
    jax.eval_shape(
      i3d.I3D(NARROW).init, jax.random.key(0), np.zeros((1, 8, 224, 224, 3), np.float32)
    )


@pytest.mark.slow
def test_published_weights_agree_with_pytorch():
  fetch.fetch('i3d')  # returns at once where it is kept
  params = fetch.load_teacher('i3d')
  clip = i3d.to_input(reference.clip(25)[None])
  found = np.asarray(jax.jit(i3d.I3D().apply)({'params': params}, clip))[0]
  np.testing.assert_allclose(found[:8], PUBLISHED, atol=1e-4)
  assert found.argmax() == 159 and abs(found.std() - 5.6903005) < 1e-4
