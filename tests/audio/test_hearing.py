"""The interface of all ears: instants, lengths, batches, live and whole."""

import pathlib

import numpy as np
import pytest

from vasa_jax.audio import features
from vasa_jax.audio.hearing import NetEar, hear, hear_live
from vasa_jax.errors import UsageError, UserError

HERE = pathlib.Path(__file__).parent / 'references'


@pytest.fixture(scope='module')
def ears():
  """The small nets of the references; Whisper's has positions for 1 s."""
  return {
    'log-mel': hear(),
    'before': hear(f'wav2vec2:{HERE / "base"}'),
    'after': hear(f'hubert:{HERE / "hubert"}', (0, -1), 'after'),
    'whisper': hear(f'whisper:{HERE / "whisper"}', (1, 2)),
  }


NAMES = ('log-mel', 'before', 'after', 'whisper')
NETS = NAMES[1:]


def voice(frames, more=0):
  random = np.random.default_rng(frames)
  t = np.arange(640 * frames + more) / 16_000
  tone = np.sin(2 * np.pi * 150 * t) * np.sin(11 * t) ** 2
  return (0.1 * tone + 1e-3 * random.normal(size=len(t))).astype(np.float32)


@pytest.mark.parametrize('name', NAMES)
def test_one_frame_for_every_640_samples(ears, name):
  ear = ears[name]
  dims = {'log-mel': 320, 'before': 24, 'after': 48, 'whisper': 128}
  assert ear.dim == dims[name]
  for more, frames in ((0, 20), (1, 21), (-1, 20)):
    assert ear(voice(20, more)).shape == (frames, ear.dim)
  assert ear(np.zeros(0, np.float32)).shape == (0, ear.dim)


@pytest.mark.parametrize('name', ['before', 'after'])
def test_a_click_is_heard_at_its_instant(ears, name):
  """The convolutions' answer to a click at 40 i ms is centred on frame i."""
  front = ears[name].front
  instant = 10

  def answer(offset):
    # The transformer looks everywhere: what its input sees is asked for.
    from vasa_jax.audio.encoder import pairs
    from vasa_jax.audio.wav2vec2 import Wav2Vec2
    from vasa_jax.audio.wav2vec2_file import load_wav2vec2

    weights = load_wav2vec2(HERE / 'large')  # no norm over time
    sound = np.zeros(640 * 20 + front.rest, np.float32)
    quiet = Wav2Vec2(weights.config)
    at = front.lead + 640 * instant + offset
    given = {'params': weights.params}
    still = quiet.apply(given, sound[None], method='extract')
    sound[at] = 1
    heard = quiet.apply(given, sound[None], method='extract')
    return np.asarray(pairs(abs(heard - still).max(-1, keepdims=True)))[0, :, 0]

  # The reach of frame i is 640 i - 360 .. 640 i + 360.
  assert np.flatnonzero(answer(0))[0] == instant == np.flatnonzero(answer(0))[-1]
  assert list(np.flatnonzero(answer(-320))) == [instant - 1, instant]
  assert list(np.flatnonzero(answer(319))) == [instant, instant + 1]


@pytest.mark.parametrize('name', NAMES)
def test_a_batch_is_each_alone(ears, name):
  recordings = [voice(20), voice(9, 3), np.zeros(0, np.float32), voice(24)]
  together = ears[name].many(recordings)
  for one, heard in zip(recordings, together, strict=True):
    np.testing.assert_allclose(heard, ears[name](one), atol=1e-4)


@pytest.mark.parametrize('name', NAMES)
def test_level_and_type_do_not_matter(ears, name):
  one = voice(20)
  stored = np.rint(one * 32767).astype(np.int16)
  np.testing.assert_allclose(ears[name](one * 3), ears[name](one), atol=2e-3)
  difference = ears[name](stored) - ears[name](one)
  assert np.linalg.norm(difference) < 0.02 * np.linalg.norm(ears[name](one))


@pytest.mark.parametrize('name', NETS)
def test_live_is_whole_where_it_may_hear_everything(ears, name):
  one = voice(20, -100)
  whole = ears[name](one, 1.0)
  live = ears[name].stream(1.0, ahead=0.32, before=0.48, chunk=5)
  parts = [live.push(one[i : i + 700]) for i in range(0, len(one), 700)]
  parts.append(live.finish())
  made = np.concatenate(parts)
  assert made.shape == whole.shape
  # Chunk 2, frames 10 to 14, hears 0 to 20 wherever that is all there is.
  error = np.linalg.norm(made - whole, axis=1)
  assert error[10:15].max() < 1e-5
  assert error[:5].max() > 5e-5  # heard without the end: the measure can fail
  again = hear_live(ears[name], one, 1.0, ahead=0.32, before=0.48, chunk=5)
  np.testing.assert_allclose(made, again, atol=1e-5)


def test_live_gives_frames_when_the_future_is_in(ears):
  live = ears['before'].stream(ahead=0.08, before=0.2, chunk=5)
  assert len(live.push(voice(7, -1))) == 0
  assert len(live.push(voice(1)[:1])) == 5
  assert len(live.push(voice(4))) == 0
  assert len(live.push(voice(1))) == 5
  assert len(live._held) < 640 * 12
  assert len(live.finish()) == 2


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('chunk', [640, 9001])
def test_listening_is_the_whole(ears, name, chunk):
  """Longer than Whisper's positions: its windows must not depend on the chunks."""
  one = voice(60, 17)
  chunks = [one[i : i + chunk] for i in range(0, len(one), chunk)]
  heard = np.concatenate(list(ears[name].listen(chunks, 1.5)))
  np.testing.assert_allclose(heard, ears[name](one, 1.5), atol=1e-4)


def test_silence_is_steady(ears):
  for name in NETS:
    heard = ears[name](np.zeros(16_000, np.float32))
    assert np.isfinite(heard).all() and heard[8:16].std(0).max() < 1


def test_front_ends_that_do_not_exist():
  for spec in ('mfcc', 'wav2vec2', 'wav2vec2:', 'log-mel:x'):
    with pytest.raises(UsageError, match='say ear, log-mel'):
      hear(spec)
  with pytest.raises(UserError, match='no weights at'):
    hear('whisper:/nowhere')
  for layers in ((4,), (-5,), ()):
    with pytest.raises(UsageError, match='hidden states 0 to 3'):
      hear(f'wav2vec2:{HERE / "base"}', layers)
  with pytest.raises(UsageError, match='before or after'):
    hear(f'wav2vec2:{HERE / "base"}', interpolate='never')


def test_windows_that_do_not_fit(ears):
  assert isinstance(ears['whisper'], NetEar)
  with pytest.raises(UsageError, match='this net hears 25 at once'):
    ears['whisper'].stream(ahead=1.0)
  with pytest.raises(UsageError, match='must not be negative'):
    ears['whisper'].stream(ahead=-1.0)


def test_log_mel_is_the_features():
  one = voice(20)
  gain = features.loudness(one).gain
  np.testing.assert_array_equal(hear()(one), features.log_mel(one, gain))
