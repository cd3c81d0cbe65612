import tracemalloc
import wave

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.inference.media.audio_file import AudioFile
from vasa_jax.inference.media.video import VideoWriter


def _read(path, **options):
  return np.concatenate(list(AudioFile(path).chunks(**options)))


def test_wav_at_16_khz_comes_back_exactly(tmp_path, wav):
  samples = np.random.default_rng(0).uniform(-0.5, 0.5, 40_000)
  path = wav(tmp_path / 'a.wav', samples)
  chunks = list(AudioFile(path).chunks(seconds=1.0))
  assert [len(c) for c in chunks] == [16_000, 16_000, 8_000]
  assert chunks[0].dtype == np.float32 and chunks[0].shape[1] == 1
  np.testing.assert_allclose(np.concatenate(chunks)[:, 0], samples, atol=1e-4)


@pytest.mark.parametrize('rate', [8_000, 11_025, 44_100, 48_000, 96_000])
def test_rates_keep_length_and_pitch(tmp_path, wav, tone, rate):
  path = wav(tmp_path / 'a.wav', tone(1.0, rate), rate)
  samples = _read(path)[:, 0]
  # The resampler's filter may cost a few milliseconds at the ends, no more.
  assert abs(len(samples) - 16_000) < 160
  spectrum = np.abs(np.fft.rfft(samples[:16_000], 16_000))
  assert abs(int(spectrum.argmax()) - 220) <= 1
  assert 0.25 < np.abs(samples[4_000:12_000]).max() < 0.35


def test_stereo_is_mixed_down_or_kept(tmp_path, wav, tone):
  left = tone(0.5)
  path = wav(tmp_path / 'a.wav', np.stack([left, 0 * left], -1))
  file = AudioFile(path)
  assert file.channels == 2
  assert _read(path).shape == (8_000, 1)
  assert 0.1 < np.abs(_read(path)).max() < 0.25
  both = _read(path, channels=2)
  assert both.shape == (8_000, 2) and np.abs(both[:, 1]).max() < 1e-3


def test_survey(tmp_path, wav, tone):
  path = wav(tmp_path / 'a.wav', tone(1.01))
  survey = AudioFile(path).survey()
  assert (survey.samples, survey.frames, survey.rate) == (16_160, 26, 16_000)
  assert survey.seconds == pytest.approx(1.01)
  assert survey.level == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=0.3)
  assert len(survey.sha256) == 64


def test_sound_of_a_video(tmp_path, tone):
  path = tmp_path / 'a.mp4'
  with VideoWriter(path, (32, 32)) as writer:
    writer.write(np.zeros((25, 32, 32, 3), np.uint8))
    writer.write_sound(tone(1.0, 48_000)[:, None].astype(np.float32))
  survey = AudioFile(path).survey()
  assert abs(survey.seconds - 1.0) < 0.04


def test_silence_is_an_error_unless_allowed(tmp_path, wav):
  path = wav(tmp_path / 'a.wav', np.zeros(16_000))
  with pytest.raises(UserError, match='silent.*--allow-silence'):
    AudioFile(path).survey()
  survey = AudioFile(path).survey(allow_silence=True)
  assert (survey.level, survey.gain, survey.frames) == (None, 1.0, 25)


def test_zero_seconds(tmp_path, wav):
  path = wav(tmp_path / 'a.wav', np.zeros(0))
  with pytest.raises(UserError, match='0 seconds'):
    AudioFile(path).survey()


def test_no_sound_in_a_video_or_a_picture(tmp_path, portrait_path):
  path = tmp_path / 'mute.mp4'
  with VideoWriter(path, (32, 32), sound_rate=None) as writer:
    writer.write(np.zeros((3, 32, 32, 3), np.uint8))
  for mute in (path, portrait_path):
    with pytest.raises(UserError, match='no sound in it'):
      AudioFile(mute)


@pytest.mark.parametrize(
  ('data', 'says'), [(b'', 'empty'), (b'hello' * 99, 'not a sound file')]
)
def test_not_a_media_file(tmp_path, data, says):
  path = tmp_path / 'a.wav'
  path.write_bytes(data)
  with pytest.raises(UserError, match=says) as caught:
    AudioFile(path)
  assert '\n' not in str(caught.value)


def test_missing_file_and_folder(tmp_path):
  with pytest.raises(UserError, match='no such file'):
    AudioFile(tmp_path / 'none.wav')
  with pytest.raises(UserError, match='not a sound file'):
    AudioFile(tmp_path)


def test_cut_off_file_gives_what_there_is(tmp_path, wav, tone):
  path = wav(tmp_path / 'a.wav', tone(1.0))
  path.write_bytes(path.read_bytes()[:20_000])
  assert 8_000 < AudioFile(path).survey().samples < 10_000


def test_broken_floats_become_numbers(tmp_path):
  import av

  path = tmp_path / 'a.wav'
  samples = np.full((1, 16_000), 0.1, np.float32)
  samples[0, 5_000:5_100] = np.nan
  with av.open(str(path), 'w') as container:
    stream = container.add_stream('pcm_f32le', rate=16_000, layout='mono')
    frame = av.AudioFrame.from_ndarray(samples, format='flt', layout='mono')
    frame.sample_rate = 16_000
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
  assert np.isfinite(_read(path)).all()


def _hour(path, seconds: int):
  """A WAV of silence as a sparse file: an hour takes no space."""
  with wave.open(str(path), 'wb') as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(8_000)
    file.setnframes(seconds * 8_000)
    file.writeframes(b'')
  data = bytearray(path.read_bytes())
  size = seconds * 16_000
  data[4:8], data[40:44] = (size + 36).to_bytes(4, 'little'), size.to_bytes(4, 'little')
  path.write_bytes(data)
  with path.open('r+b') as file:
    file.truncate(44 + size)
  return path


def _peak(path) -> tuple[int, int]:
  tracemalloc.start()
  samples = AudioFile(path).survey(allow_silence=True).samples
  peak = tracemalloc.get_traced_memory()[1]
  tracemalloc.stop()
  return samples, peak


@pytest.mark.slow
def test_an_hour_needs_no_more_memory_than_a_minute(tmp_path):
  short, peak_short = _peak(_hour(tmp_path / 'a.wav', 60))
  long, peak_long = _peak(_hour(tmp_path / 'b.wav', 3600))
  assert (short, long) == (60 * 16_000, 3600 * 16_000)
  # An hour at 16 kHz is 230 MB of float32.
  assert peak_long < 2_000_000
  assert peak_long < 1.3 * peak_short
