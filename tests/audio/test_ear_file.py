"""The ear file: what is left out, what 8 bits cost, what is refused."""

import pathlib

import numpy as np
import pytest

from vasa_jax.audio.ear_file import NAME, load_ear, save_ear, sines, truncated
from vasa_jax.audio.fronts import WhisperFront
from vasa_jax.audio.hearing import hear
from vasa_jax.audio.whisper_file import WhisperWeights, load_whisper
from vasa_jax.errors import UsageError, UserError

HERE = pathlib.Path(__file__).parent / 'references'


@pytest.fixture(scope='module')
def whisper():
  """The small encoder of the references (two layers), with Whisper's positions."""
  weights = load_whisper(HERE / 'whisper')
  config = weights.config
  fixed = sines(config.max_source_positions, config.d_model)
  return WhisperWeights(config, weights.params | {'positions': fixed})


def voice():
  t = np.arange(640 * 15) / 16_000
  noise = np.random.default_rng(0).normal(size=t.size)
  sound = 0.1 * np.sin(900 * t) * np.sin(11 * t) ** 2 + 0.01 * noise
  return sound.astype(np.float32)


def test_a_feature_is_what_the_next_layer_reads(whisper):
  state = WhisperFront(whisper, (1,)).hear([voice()])[0]
  kept = truncated(whisper, 1)
  assert kept.config.encoder_layers == 1 and 'layers_1' not in kept.params
  (ours,) = WhisperFront(kept).hear([voice()])
  # The norm comes before two frames become one, so a linear map would not do here.
  norm = whisper.params['layers_1']['norm_attention']
  assert ours.shape == state.shape == (15, 64)
  ours = (ours - norm['bias']) / norm['scale']
  assert abs(ours.mean()) < 0.1 and 0.5 < ours.std() < 1.1
  assert min(np.corrcoef(a, b)[0, 1] for a, b in zip(ours, state, strict=True)) > 0.9


@pytest.mark.parametrize('layers', [0, 2, -1])
def test_all_layers_or_none_are_no_ear(whisper, layers):
  with pytest.raises(UsageError, match='keep 1 to 1'):
    truncated(whisper, layers)


def test_eight_bits(whisper, tmp_path):
  kept = truncated(whisper, 1)
  save_ear(tmp_path / NAME, kept)
  again = load_ear(tmp_path)
  assert again.config == kept.config
  exact, rounded = (w.params['layers_0']['ffn_in'] for w in (kept, again))
  step = np.abs(exact['kernel']).max(0) / 127
  error = np.abs(rounded['kernel'] - exact['kernel'])
  assert error.max() > 0 and (error <= 0.501 * step).all()
  np.testing.assert_array_equal(rounded['bias'], exact['bias'])
  (exact,), (heard,) = (WhisperFront(w).hear([voice()]) for w in (kept, again))
  assert np.linalg.norm(heard - exact) < 0.05 * np.linalg.norm(exact - exact.mean(0))
  # What was written once is written the same again.
  save_ear(tmp_path / 'again.safetensors', again)
  assert (tmp_path / 'again.safetensors').read_bytes() == (tmp_path / NAME).read_bytes()


def test_learned_positions_are_refused(tmp_path):
  with pytest.raises(UserError, match='no encoder of Whisper'):
    save_ear(tmp_path / NAME, truncated(load_whisper(HERE / 'whisper'), 1))
  assert not list(tmp_path.iterdir())


def test_damage_is_one_line(whisper, tmp_path):
  with pytest.raises(UserError, match='missing'):
    load_ear(tmp_path)
  save_ear(tmp_path / NAME, truncated(whisper, 1))
  (tmp_path / NAME).write_bytes((tmp_path / NAME).read_bytes()[:-100])
  with pytest.raises(UserError, match='damaged'):
    hear(f'ear:{tmp_path}')
  with pytest.raises(UserError, match='no ear'):
    load_ear(pathlib.Path('vasa_jax/weights/motion.safetensors').resolve())


def test_the_embedded_ear():
  ear = hear('ear')
  assert ear.dim == 384
  heard = ear(voice())
  assert heard.shape == (15, 384) and 0.5 < heard.std() < 3
