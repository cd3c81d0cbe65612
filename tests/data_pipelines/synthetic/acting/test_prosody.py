import numpy as np
import pytest

from data_pipelines.synthetic.acting import prosody
from data_pipelines.synthetic.speaking.phones import Phone
from data_pipelines.synthetic.speaking.speech import Speech

RATE = 16_000


def voice(f0):
  """A buzz with the pitch `(samples,)` Hz: ten harmonics."""
  phase = 2 * np.pi * np.cumsum(f0) / RATE
  return sum(np.sin(k * phase) / k for k in range(1, 11)).astype(np.float32) * 0.2


def spoken(f0, phones, text='So it is.'):
  return Speech(voice(f0).astype(np.float32), tuple(phones), text, 'buzz')


@pytest.mark.parametrize('hz', [75.0, 120.0, 210.0, 330.0, 450.0])
def test_pitch_is_found_within_a_tenth_of_a_semitone(hz):
  found = prosody.f0_of(voice(np.full(RATE, hz)), 25)[1:-1]
  assert (found > 0).all()
  assert np.abs(12 * np.log2(found / hz)).max() < 0.1


def test_noise_and_silence_have_no_pitch():
  rng = np.random.default_rng(0)
  assert not prosody.f0_of(np.zeros(RATE), 25).any()
  hiss = rng.standard_normal(RATE) * 0.1
  assert (prosody.f0_of(hiss, 25) > 0).mean() < 0.1


def test_pitch_follows_a_glide_and_folds_octave_errors():
  glide = 120 * 2 ** (np.arange(RATE) / RATE)
  tones = prosody.semitones(prosody.f0_of(voice(glide), 25))
  assert tones[22] - tones[2] == pytest.approx(12 * 20 / 25, abs=0.5)
  f0 = np.full(30, 150.0)
  f0[[7, 20]] = 75.0, 300.0
  assert np.abs(prosody.semitones(f0)).max() < 0.1


def test_phrases_pauses_stresses_and_questions():
  phones = [
    Phone('sil', 0, 0.2), Phone('m', 0.2, 0.3), Phone('aa', 0.3, 0.6),
    Phone('sil', 0.6, 1.2), Phone('iy', 1.2, 2.0), Phone('sil', 2.0, 2.4),
  ]  # fmt: skip
  t = np.arange(int(2.4 * RATE)) / RATE
  f0 = np.where(t < 1.7, 120.0, 120.0 * 2 ** ((t - 1.7) * 3))
  speech = spoken(f0, phones)
  said = ((t > 0.2) & (t < 0.6)) | ((t > 1.2) & (t < 2.0))
  speech.audio[~said] = 0
  heard = prosody.listen(speech, 60)
  assert [(round(p.start), round(p.end)) for p in heard.phrases] == [(5, 15), (30, 50)]
  assert not heard.phrases[0].asks and heard.phrases[1].asks
  assert heard.phrases[1].rise > 4
  assert [tuple(map(round, p)) for p in heard.pauses] == [(0, 5), (15, 30), (50, 60)]
  assert [round(s.frame) for s in heard.stresses] == [11, 40]
  assert heard.silent.sum() == 5 + 15 + 10
  assert np.abs(heard.pitch[20:26]).max() < 0.3 and heard.pitch[48] > 3
  flat = prosody.listen(spoken(np.full(len(t), 120.0), phones, 'Is it?'), 60)
  assert flat.phrases[-1].asks and not flat.phrases[0].asks
