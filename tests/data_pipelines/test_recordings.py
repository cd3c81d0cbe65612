"""Clean speech and what a microphone made of it: the same instants, kept speeches."""

import numpy as np
import pytest

from data_pipelines import recordings
from data_pipelines.errors import UserError
from data_pipelines.recordings import PER_FRAME, Recordings


def ramp(count=3, seconds=4.0):
  """Speeches of noise, each of another loudness."""
  rng = np.random.default_rng(0)
  samples = int(seconds * 16_000)
  return [
    (rng.normal(0, 300 * (i + 1), samples)).astype(np.int16) for i in range(count)
  ]


def test_both_are_the_same_instants():
  made = Recordings(ramp(), frames=50, size=6, seed=(0,))
  for _ in range(2):
    batch = next(made)
    assert batch['clean'].shape == batch['recorded'].shape == (6, 50 * PER_FRAME)
    assert batch['clean'].dtype == batch['recorded'].dtype == np.float32
    for clean, recorded in zip(batch['clean'], batch['recorded'], strict=True):
      spectra = np.fft.rfft(clean), np.fft.rfft(recorded)
      match = np.fft.irfft(spectra[0].conj() * spectra[1])
      assert np.argmax(match) == 0


def test_a_recording_is_at_the_level_of_speech():
  batch = next(Recordings(ramp(), frames=50, size=8, seed=(1,)))
  for part in batch.values():
    level = 20 * np.log10(np.sqrt(np.mean(np.square(part), 1)))
    np.testing.assert_allclose(level, -23, atol=1.0)
  changed = np.abs(batch['clean'] - batch['recorded']).max(1) > 1e-3
  assert changed.any()


def test_the_state_is_a_count():
  made = Recordings(ramp(), frames=25, size=2, seed=(2,))
  next(made)
  state, wanted = made.get_state(), next(made)
  again = Recordings(ramp(), frames=25, size=2, seed=(2,))
  again.set_state(state)
  np.testing.assert_array_equal(next(again)['recorded'], wanted['recorded'])


def test_short_speech_ends_in_silence():
  short = [np.full(8000, 1000, np.int16)]
  batch = next(Recordings(short, frames=50, size=4, seed=(3,)))
  assert np.isfinite(batch['recorded']).all()
  assert (np.abs(batch['clean']).max(1) > 0).all()
  assert (batch['clean'][:, -100:] == 0).any()


def test_speeches_are_kept(tmp_path, monkeypatch):
  keep = tmp_path / 'speech.npz'
  known, held_out = recordings.speeches(3, 5, keep, ('formant',), workers=0)
  assert (len(known), len(held_out)) == (2, 1)
  assert all(one.dtype == np.int16 and len(one) > 16_000 for one in known + held_out)
  monkeypatch.setattr(recordings, '_spoken', None)  # nothing is spoken a second time
  again, _ = recordings.speeches(3, 5, keep, ('formant',), workers=0)
  for one, other in zip(known, again, strict=True):
    np.testing.assert_array_equal(one, other)
  with pytest.raises(UserError, match='other settings'):
    recordings.speeches(3, 6, keep, ('formant',), workers=0)
