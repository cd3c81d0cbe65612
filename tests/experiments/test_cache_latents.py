"""The command that makes motion caches."""

import numpy as np
import pytest

from data_pipelines.motion_cache import read_cache
from experiments import cache_latents


@pytest.mark.parametrize('heard, size', [('ear', 384), ('log-mel', 320)])
def test_speech_to_cache(tmp_path, capsys, heard, size):
  out = tmp_path / 'a.npz'
  command = ['--speech', '3', '--voices', 'formant', '--workers', '0', '--seed', '4']
  command += ['--features', heard] if heard != 'ear' else []  # the default
  assert cache_latents.main([*command, '--out', str(out)]) == 0
  assert '3 clips' in capsys.readouterr().out
  one = read_cache(out)
  assert list(one.held_out) == [True, False, False] and one.motion.shape[1] == 60
  assert one.front_end == heard and one.feature_dim == size
  assert cache_latents.main([*command, '--npz', '--out', str(tmp_path / 'b')]) == 0
  two = read_cache(tmp_path / 'b')
  np.testing.assert_array_equal(one.features, two.features)
  np.testing.assert_array_equal(one.motion, two.motion)


@pytest.mark.parametrize(
  'command',
  [
    [],
    ['--speech', '0'],
    ['--speech', '3', '--from-truth'],
    ['--records', 'x'],
    ['--records', 'x', '--speech', '3'],
  ],
)
def test_wrong_usage_exits_2(tmp_path, command):
  with pytest.raises(SystemExit) as found:
    cache_latents.main([*command, '--out', str(tmp_path / 'a.npz')])
  assert found.value.code == 2


@pytest.mark.parametrize(
  'command, words',
  [
    (['--speech', '2', '--voices', 'nobody:here'], 'no voice'),
    (['--records', '{tmp}/none', '--from-truth'], 'is not a folder'),
    (['--records', '{tmp}/none', '--weights', '{tmp}/none'], 'none'),
  ],
)
def test_failures_are_one_line(tmp_path, capsys, command, words):
  command = [part.format(tmp=tmp_path) for part in command]
  assert cache_latents.main([*command, '--out', str(tmp_path / 'a.npz')]) == 1
  error = capsys.readouterr().err.strip().splitlines()[-1]
  assert error.startswith('error: ') and words in error
  assert not list(tmp_path.iterdir())


def test_encoder_runs_a_face_model(tmp_path):
  import jax

  from vasa_jax.inference import models
  from vasa_jax.inference.bundle import Bundle, save_bundle

  preset = models.preset('tiny')
  params = {p: models.init(p, preset[p], jax.random.key(0)) for p in preset}
  bundle = Bundle(preset['face'], params['face'], preset['motion'], params['motion'])
  save_bundle(tmp_path / 'weights', bundle)
  encode = cache_latents.encoder(str(tmp_path / 'weights'))
  frames = np.random.default_rng(0).integers(0, 255, (19, 32, 32, 3)).astype(np.uint8)
  whole = encode(frames)
  assert whole.shape == (19, preset['motion'].motion_dim) and np.isfinite(whole).all()
  np.testing.assert_allclose(encode(frames[16:]), whole[16:], atol=1e-5)
