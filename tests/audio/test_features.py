"""Log-mel features: alignment, level, silence, streaming."""

import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vasa_jax.audio import features


@pytest.fixture(scope='module')
def voice():
  rng = np.random.default_rng(0)
  t = np.arange(41_237) / features.SAMPLE_RATE
  tone = np.sin(2 * np.pi * 180 * t) + 0.4 * np.sin(2 * np.pi * 1440 * t)
  swell = np.clip(np.sin(2 * np.pi * 1.5 * t), 0, None)
  return (0.1 * tone * swell + 1e-3 * rng.normal(size=t.shape)).astype(np.float32)


def test_frame_is_centred_on_its_instant():
  # Energy must grow equally when a click moves away from the instant to either side.
  def energy(offset):
    click = np.zeros(640 * 9, np.float32)
    click[640 * 4 + offset] = 1.0
    return features.log_mel(click).reshape(9, 4, 80)

  early, late = energy(-120), energy(120)
  np.testing.assert_allclose(early[4, ::-1].mean(-1), late[4].mean(-1), atol=0.02)
  centre = energy(0)
  assert centre[4, 1:3].min() > -2 and np.all(centre[[2, 6]] == -2)


def test_frame_count_rounds_up():
  for samples, frames in ((0, 0), (1, 1), (640, 1), (641, 2)):
    assert features.log_mel(np.zeros(samples, np.float32)).shape == (frames, 320)


def test_scale_and_bands():
  t = np.arange(16_000) / 16_000
  tone = np.sin(2 * np.pi * 1000 * t).astype(np.float32)
  frame = features.log_mel(tone)[10].reshape(4, 80)
  assert 1.5 < frame.max() <= 2.0
  mel_1000 = 2595 * np.log10(1 + 1000 / 700)
  expected = mel_1000 / (2595 * np.log10(1 + 8000 / 700)) * 81 - 1
  assert abs(frame[0].argmax() - expected) <= 1
  # Ten times quieter is 20 dB, one unit.
  quieter = features.log_mel(tone, gain=0.1)[10].reshape(4, 80)
  np.testing.assert_allclose(frame.max() - quieter.max(), 1.0, atol=1e-3)


def test_every_band_hears_noise():
  noise = np.random.default_rng(0).normal(size=16_000).astype(np.float32)
  assert features.log_mel(noise * 0.1)[1:-1].min() > -2


def test_silence_stays_silence(voice):
  silence = np.zeros(16_000, np.float32)
  meter = features.loudness(silence)
  assert meter.level is None and meter.gain == 1.0
  assert np.all(features.log_mel(silence, meter.gain) == -2)


@pytest.mark.parametrize('scale', [0.03, 1.0, 4.0])
def test_gain_undoes_the_level(voice, scale):
  plain = features.log_mel(voice, features.loudness(voice).gain)
  scaled = features.log_mel(voice * scale, features.loudness(voice * scale).gain)
  # A block at a gate may fall to either side of it: a little slack.
  np.testing.assert_allclose(scaled, plain, atol=0.02)


def test_pauses_do_not_change_the_gain(voice):
  pause = 1e-4 * np.random.default_rng(1).normal(size=80_000).astype(np.float32)
  with_pause = np.concatenate([voice, pause])
  assert features.loudness(with_pause).level == pytest.approx(
    features.loudness(voice).level, abs=0.3
  )


@pytest.mark.parametrize('chunk', [1, 160, 641, 5000])
def test_stream_is_offline(voice, chunk):
  voice = voice[: 3 * chunk * 100][:20_011] if chunk == 1 else voice
  chunks = [voice[i : i + chunk] for i in range(0, len(voice), chunk)]
  streamed = np.concatenate(list(features.stream_log_mel(chunks, 1.7)))
  np.testing.assert_allclose(streamed, features.log_mel(voice, 1.7), atol=1e-5)


def test_stream_gives_frames_at_once():
  stream = features.LogMelStream()
  assert len(stream.push(np.zeros(439, np.float32))) == 0
  assert len(stream.push(np.zeros(1, np.float32))) == 1
  assert len(stream.push(np.zeros(640, np.float32))) == 1


def test_int16_is_float(voice):
  stored = np.rint(voice * 32767).astype(np.int16)
  np.testing.assert_allclose(
    features.log_mel(features.as_float(stored))[20:30, 20:60],
    features.log_mel(voice)[20:30, 20:60],
    atol=0.1,
  )


def test_jax_twin(voice):
  twin = jax.jit(lambda x: features.log_mel(x, 1.3, xp=jnp))(voice)
  np.testing.assert_allclose(twin, features.log_mel(voice, 1.3), atol=2e-4)


def test_memory_does_not_grow_with_length():
  def peak(seconds):
    chunk = np.zeros(features.SAMPLE_RATE, np.int16)
    tracemalloc.start()
    for _ in features.stream_log_mel(chunk for _ in range(seconds)):
      pass
    meter = features.Loudness()
    for _ in range(seconds):
      meter.push(chunk)
    result = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result

  assert peak(60) < 1.2 * peak(3)


def test_bytes_round_trip(voice):
  plain = features.log_mel(voice)
  stored = features.to_bytes(plain)
  assert stored.dtype == np.uint8
  assert np.abs(features.from_bytes(stored) - plain).max() <= 2 / 255 + 1e-6
