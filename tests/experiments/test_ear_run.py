"""The ear that learns to hear through rooms: what may change, what it is told."""

import dataclasses
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from data_pipelines import recordings
from experiments import ear_run
from experiments.ear_run import EarRun
from vasa_jax.audio.ear_file import NAME, load_ear, save_ear, sines
from vasa_jax.audio.fronts import WhisperFront
from vasa_jax.audio.whisper import WhisperConfig, param_shapes
from vasa_jax.audio.whisper_file import WhisperWeights
from vasa_jax.errors import UsageError, UserError
from vasa_jax.teachers.eight_bits import packed
from vasa_jax.teachers.loader import flatten
from vasa_jax.training.config import from_json, load_config, to_json

CONFIG = Path(ear_run.__file__).parent / 'configs' / 'ear_rooms.py'
SMALL = WhisperConfig(16, 2, 2, 32)


@pytest.fixture(scope='module')
def ear(tmp_path_factory):
  """A small random ear's file."""
  rng = np.random.default_rng(0)
  params = jax.tree.map(
    lambda x: rng.normal(0, 0.3, x.shape).astype(np.float32), param_shapes(SMALL)
  )
  params['positions'] = sines(SMALL.max_source_positions, SMALL.d_model)
  path = tmp_path_factory.mktemp('ear') / NAME
  save_ear(path, WhisperWeights(SMALL, params))
  return path


@pytest.fixture
def speech(tmp_path, monkeypatch):
  """Noise in place of speech."""
  rng = np.random.default_rng(1)
  said = [rng.normal(0, 900, 40_000).astype(np.int16) for _ in range(21)]
  monkeypatch.setattr(recordings, '_spoken', lambda *_: said)
  return str(tmp_path / 'speech.npz')


@pytest.fixture
def lips(monkeypatch):
  """A motion model that reads its mouths off two features."""

  def asked(variables, features, key):
    return features[..., :2] * variables['much'] + jax.random.normal(key, (2,))

  made = asked, {'much': jnp.array([1.0, 3.0])}
  monkeypatch.setattr(ear_run, 'asked_of', lambda folder, width: made)


def test_config_builds():
  config = load_config(CONFIG)
  assert from_json(EarRun, to_json(config)) == config


def test_only_what_is_named_may_change(ear):
  params = load_ear(ear).params
  tuned, fixed = ear_run.cut(params, ('layers_0/ffn', 'norm'))
  assert {key.split('/')[0] for key in tuned} == {'layers_0', 'norm'}
  assert not set(tuned) & set(fixed) and 'positions' in fixed
  again = ear_run.joined(tuned, fixed)
  assert jax.tree.structure(again) == jax.tree.structure(params)
  everything, rest = ear_run.cut(params, ('',))
  assert list(rest) == ['positions'] and len(everything) == len(flatten(params)) - 1
  with pytest.raises(UsageError, match="begins with 'layer_0'"):
    ear_run.cut(params, ('layer_0',))


@pytest.mark.parametrize('first', [0, 60])
def test_it_hears_as_the_front_does(ear, first):
  weights = load_ear(ear)
  front = WhisperFront(weights)
  samples = np.random.default_rng(2).normal(0, 0.1, 25 * 640).astype(np.float32)
  (wanted,) = front.hear([samples], first)
  hear = ear_run.heard_by(weights)
  found = hear(weights.params, jnp.asarray(samples)[None], 2 * first)[0]
  np.testing.assert_allclose(found, wanted, atol=2e-4)


def test_error_is_one_for_the_mean():
  wanted = jnp.asarray(np.random.default_rng(3).normal(2, 1, (2, 30, 4)))
  assert float(ear_run.error(wanted, wanted)) == 0
  mean = jnp.broadcast_to(wanted.mean((0, 1)), wanted.shape)
  assert float(ear_run.error(mean, wanted)) == pytest.approx(1, rel=1e-5)


def test_training_nears_the_clean_features_and_keeps_the_rest(ear, speech, lips):
  run = EarRun(
    ear=str(ear), tuned=('layers_1',), speech=speech, speeches=21, frames=20,
    batch_size=4,
  )  # fmt: skip
  job = run.job()
  params = job.init(jax.random.key(0))
  assert all(key.startswith('layers_1') for key in params)
  batch = next(job.batches(None, 0, 1))
  step = jax.jit(jax.value_and_grad(lambda p: job.loss(
    p, batch, jax.random.key(0), *job.frozen)[0]))  # fmt: skip
  values = []
  for _ in range(12):
    value, slope = step(params)
    values.append(float(value))
    params = jax.tree.map(lambda p, g: p - 0.05 * jnp.sign(g) * 0.1, params, slope)
  assert values[0] > 0.01 and min(values[6:]) < 0.9 * values[0]


def test_evaluation_names_the_ear_before(ear, speech, lips, monkeypatch):
  monkeypatch.setattr(ear_run, '_JUDGED', 1)
  run = EarRun(ear=str(ear), speech=speech, speeches=21, frames=20, batch_size=2)
  job = run.job()
  figures = job.evaluate(job.init(jax.random.key(0)))
  for name in ('features', 'mouths'):
    assert figures[name] == pytest.approx(figures['before_' + name])
    assert figures['clean_' + name] == pytest.approx(0, abs=1e-6)
    assert figures[name] > 1e-3


def test_file_of_a_run(ear, speech, lips, tmp_path, capsys):
  from experiments.train import main as train

  workdir, out = tmp_path / 'run', tmp_path / NAME
  config = tmp_path / 'config.py'
  run = EarRun(
    ear=str(ear), tuned=('norm', 'layers_0/qkv/bias'), speech=speech, speeches=21,
    frames=20, batch_size=2, steps=2, save_every=2, devices=1, learning_rate=0.1,
  )  # fmt: skip
  settings = json.loads(to_json(run))
  assert settings['tuned'] == ['norm', 'layers_0/qkv/bias']
  fields = {f.name: getattr(run, f.name) for f in dataclasses.fields(run)}
  config.write_text(
    'from experiments.ear_run import EarRun\n\n\ndef get_config():\n'
    f'  return EarRun(**{fields!r})\n'
  )
  assert train(['--config', str(config), '--workdir', str(workdir)]) == 0
  assert ear_run.main([str(workdir), '--out', str(out)]) == 0
  before, after = (packed(flatten(load_ear(path).params)) for path in (ear, out))
  changed = {key for key in before if not np.array_equal(before[key], after[key])}
  assert changed == {'norm/scale', 'norm/bias', 'layers_0/qkv/bias'}
  assert ear_run.main([str(tmp_path / 'none'), '--out', str(out)]) == 1
  assert 'holds no run' in capsys.readouterr().err


def test_start_is_another_ear_and_the_teacher_stays(ear, speech, lips, tmp_path):
  other = load_ear(ear)
  other.params['norm']['bias'] = other.params['norm']['bias'] + 1
  other.params['conv1']['bias'] = other.params['conv1']['bias'] + 1
  save_ear(tmp_path / NAME, other)
  run = EarRun(
    ear=str(ear), init_from=str(tmp_path / NAME), tuned=('norm',), speech=speech,
    speeches=21, frames=20,
  )  # fmt: skip
  job = run.job()
  params = job.init(jax.random.key(0))
  np.testing.assert_array_equal(params['norm/bias'], other.params['norm']['bias'])
  fixed, teacher, _ = job.frozen
  np.testing.assert_array_equal(fixed['conv1/bias'], teacher['conv1']['bias'])
  assert np.abs(fixed['conv1/bias'] - other.params['conv1']['bias']).min() > 0.5


def test_mouths_are_those_of_the_embedded_motion_model():
  asked, variables = ear_run.asked_of('embedded', 384)
  rng = np.random.default_rng(4)
  features = rng.normal(size=(2, 120, 384)).astype(np.float32)
  run = jax.jit(asked)
  one = run(variables, features, jax.random.key(0))
  # Two whole windows of each; 4 units of the jaw, 23 of the mouth, the tongue.
  assert one.shape == (4, 50, 28)
  changed = features.copy()
  changed[1, 60:] = 0
  other = run(variables, changed, jax.random.key(0))
  moved = np.abs(np.asarray(other - one)).max((1, 2))
  assert (moved[[0, 1, 2]] == 0).all() and moved[3] > 0.01
  with pytest.raises(UserError, match='does not hear with such an ear'):
    ear_run.asked_of('embedded', 16)


def test_too_long_a_stretch(ear, speech, lips):
  with pytest.raises(UsageError, match='1 to 750'):
    EarRun(ear=str(ear), speech=speech, frames=751).job()
  with pytest.raises(UserError, match='missing'):
    EarRun(ear=str(ear) + 'x', speech=speech).job()
