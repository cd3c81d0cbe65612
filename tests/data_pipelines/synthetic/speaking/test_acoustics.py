import numpy as np
import pytest

from data_pipelines.synthetic.speaking import acoustics

RATE = 16_000


def _clicks():
  audio = np.zeros(RATE, np.float32)
  audio[[2000, 9000]] = 0.5
  return audio


def test_the_direct_sound_is_first_strongest_and_never_late():
  dry = 0
  for seed in range(25):
    room = acoustics.sample_room(np.random.default_rng(seed))
    assert room.response[0] == 1.0 == np.abs(room.response).max()
    assert np.sum(room.response[1:] ** 2) < 0.8  # less than the direct sound
    dry += len(room.response) == 1
    heard = acoustics.record(_clicks(), room, np.random.default_rng(seed))
    assert heard.dtype == np.float32 and len(heard) == RATE
    assert np.abs(heard).max() == pytest.approx(room.level, rel=0.05)
    if room.noise == 'none':
      found = np.sort(np.argsort(-np.abs(heard))[:1])
      assert found[0] in (2000, 9000)
  assert 3 <= dry <= 18


def test_recording_is_a_function_of_its_arguments():
  room = acoustics.sample_room(np.random.default_rng(5))
  audio = np.random.default_rng(0).normal(0, 0.1, 3000)
  one, two = (acoustics.record(audio, room, np.random.default_rng(1)) for _ in range(2))
  np.testing.assert_array_equal(one, two)
  assert len(acoustics.record(np.zeros(0), room, np.random.default_rng(1))) == 0
  silent = acoustics.record(np.zeros(100), room, np.random.default_rng(1))
  assert np.isfinite(silent).all()


def test_a_first_reflection_comes_from_the_nearest_wall():
  size = np.array([6.0, 5.0, 3.0])
  mouth, ear = np.array([1.0, 2.5, 1.5]), np.array([2.0, 2.5, 1.5])
  taps = acoustics.shoebox(size, mouth, ear, absorb=0.36)
  # by the floor and the ceiling, both 1.5 m away: sqrt(1 + 9) m against 1 m
  way = np.sqrt(10.0)
  late = round((way - 1.0) / 343.0 * RATE)
  assert taps[0] == 1.0 and np.flatnonzero(taps)[1] == round(2.0 / 343.0 * RATE)
  assert taps[late] == pytest.approx(2 * 0.8 / way, rel=0.01)


@pytest.mark.parametrize('kind', acoustics.NOISES)
def test_noise_is_as_loud_as_asked(kind):
  sound = acoustics.noise_of(kind, RATE, np.random.default_rng(0))
  if kind == 'none':
    assert not sound.any()
    return
  assert np.sqrt(np.mean(sound**2)) == pytest.approx(1.0)
  power = np.abs(np.fft.rfft(sound)) ** 2
  low, high = power[20:800].sum(), power[800:].sum()
  assert (low > high) == (kind != 'white')
  tone = np.sin(np.arange(RATE) * 2 * np.pi * 440 / RATE)
  room = acoustics.Room(np.ones(1), low=1.0, noise=kind, noise_db=-20.0)
  heard = acoustics.record(tone, room, np.random.default_rng(0))
  part = np.abs(np.fft.rfft(heard)) ** 2
  inside = part[435:446].sum()
  assert -21.5 < 10 * np.log10((part.sum() - inside) / inside) < -18.5


def test_a_telephone_has_no_lows_and_highs_and_coarse_steps():
  noise = np.random.default_rng(0).normal(0, 0.1, RATE)
  room = acoustics.Room(np.ones(1), low=300.0, high=3400.0, bits=8)
  heard = acoustics.record(noise, room, np.random.default_rng(0))
  power = np.abs(np.fft.rfft(heard)) ** 2
  middle = power[800:3000].mean()
  assert power[20:100].mean() < 0.02 * middle and power[5000:].mean() < 0.02 * middle
  assert len(np.unique(heard)) <= 256


def test_unknown_noise_is_refused():
  with pytest.raises(ValueError, match='none of'):
    acoustics.noise_of('green', 10, np.random.default_rng(0))
