"""Picture metrics against scikit-image, and what must not change them."""

import jax
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from vasa_jax.metrics import image


@pytest.fixture(scope='module')
def pictures():
  random = np.random.default_rng(0)
  y, x = np.mgrid[0:40, 0:32] / 40
  a = np.stack([x, y, 0.5 + 0.5 * np.sin(9 * x * y)], -1)
  a = np.stack([a, a[::-1]]).astype(np.float32)
  b = np.clip(a + 0.1 * random.standard_normal(a.shape), 0, 1).astype(np.float32)
  return a, b


def test_against_scikit_image(pictures):
  a, b = pictures
  ours = [np.asarray(jax.jit(f)(a, b)) for f in (image.psnr, image.ssim)]
  for i in range(2):
    psnr = peak_signal_noise_ratio(a[i], b[i], data_range=1)
    ssim = structural_similarity(
      a[i], b[i], data_range=1, channel_axis=-1, gaussian_weights=True, sigma=1.5,
      use_sample_covariance=False,
    )  # fmt: skip
    np.testing.assert_allclose(ours[0][i], psnr, atol=1e-4)
    np.testing.assert_allclose(ours[1][i], ssim, atol=1e-4)
  np.testing.assert_allclose(image.l1(a, b), np.abs(a - b).mean((1, 2, 3)), rtol=1e-5)


def test_equal_pictures(pictures):
  a, _ = pictures
  np.testing.assert_allclose(image.psnr(a, a), image.PSNR_CEILING)
  np.testing.assert_allclose(image.ssim(a, a), 1, atol=1e-6)
  np.testing.assert_array_equal(image.l1(a, a), 0)


def test_more_noise_is_worse(pictures):
  a, b = pictures
  steps = [a + s * (b - a) for s in (0.2, 0.6, 1.0)]
  for metric, sign in ((image.psnr, -1), (image.ssim, -1), (image.l1, 1)):
    values = np.stack([metric(step, a) for step in steps])
    assert (sign * np.diff(values, axis=0) > 0).all()


@pytest.mark.parametrize('metric', [image.psnr, image.ssim, image.l1])
def test_symmetric_and_blind_to_order_and_mirroring(metric, pictures):
  a, b = pictures
  value = np.asarray(metric(a, b))
  np.testing.assert_allclose(metric(b, a), value, rtol=1e-5)
  np.testing.assert_allclose(metric(a[::-1], b[::-1]), value[::-1], rtol=1e-5)
  np.testing.assert_allclose(metric(a[:, :, ::-1], b[:, :, ::-1]), value, rtol=1e-4)


@pytest.mark.parametrize('metric', [image.psnr, image.ssim, image.l1])
def test_mask_sees_only_what_is_under_it(metric, pictures):
  a, b = pictures
  whole = np.ones((*a.shape[:3], 1), np.float32)
  np.testing.assert_allclose(metric(a, b, whole), metric(a, b), rtol=1e-5)
  left = whole.copy()
  left[:, :, 16:] = 0
  # Damage to the right, further than a window's reach, changes nothing under the mask.
  spoilt = b.copy()
  spoilt[:, :, 22:] = 0
  np.testing.assert_allclose(metric(a, spoilt, left), metric(a, b, left), rtol=1e-5)
  assert np.all(np.asarray(metric(a, spoilt)) != np.asarray(metric(a, b)))


def test_too_small_for_a_window():
  with pytest.raises(ValueError, match='11 px'):
    image.ssim(np.zeros((1, 10, 20, 3)), np.zeros((1, 10, 20, 3)))
