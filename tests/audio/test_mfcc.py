"""MFCCs against values that python_speech_features 0.6 gave."""

import numpy as np

from vasa_jax.audio.mfcc import mfcc

# Of `python_speech_features.mfcc(recording(), 16000)`: the shape, the sum of all
# magnitudes, and five values of four steps; step 14 lies in digital silence.
SHAPE, MAGNITUDE = (24, 13), 4555.588424296555
STEPS = (0, 11, 14, 23)
VALUES = (
  (18.254517750, -8.702173481, 22.453648865, 9.168104381, 0.680656111),
  (18.070043320, -3.980926945, 18.420777776, -5.148598359, -18.203473466),
  (16.935713546, -6.983236983, -2.898720796, -18.623107716, -23.814757857),
  (18.455745228, -9.668939516, 5.039062962, -19.666917746, -27.960930439),
)


def recording():
  """A quarter of a second of a rising tone with noise and a hole, int16."""
  random = np.random.RandomState(5)
  t = np.arange(4001) / 16000
  tone = 8000 * np.sin(2 * np.pi * (200 + 900 * t) * t) * np.exp(-3 * t)
  x = (tone + 300 * random.standard_normal(4001)).astype(np.int16)
  x[2000:2600] = 0
  return x


def test_as_the_reference_package():
  found = mfcc(recording())
  assert found.shape == SHAPE
  np.testing.assert_allclose(np.abs(found).sum(), MAGNITUDE, rtol=1e-9)
  np.testing.assert_allclose(found[list(STEPS), :5], VALUES, atol=1e-8)


def test_floats_are_brought_to_16_bit():
  x = recording()
  np.testing.assert_array_equal(mfcc(x.astype(np.float32) / 32768), mfcc(x))


def test_short_and_silent_recordings():
  assert mfcc(recording()[:300]).shape == (1, 13)
  silent = mfcc(np.zeros(1000, np.int16))
  assert silent.shape == (5, 13) and np.isfinite(silent).all()


def test_louder_moves_the_energy_only():
  x = (recording() // 4).astype(np.int16)
  quiet, loud = mfcc(x), mfcc((2 * x).astype(np.int16))
  sounding = np.abs(x).reshape(-1)[:1600].max() > 0
  assert sounding
  np.testing.assert_allclose(loud[:8, 0] - quiet[:8, 0], np.log(4), atol=1e-9)
  np.testing.assert_allclose(loud[:8, 1:], quiet[:8, 1:], atol=1e-9)
