"""Stage 2 as a run: configs, job, evaluation."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

from data_pipelines import motion_cache, motion_shards
from experiments import motion_run
from experiments.motion_run import MotionRun
from vasa_jax.errors import UsageError, UserError
from vasa_jax.motion import config as config_lib
from vasa_jax.motion.step import count_params, init_params
from vasa_jax.training.config import apply_overrides, from_json, load_config, to_json
from vasa_jax.training.loop import fit

CONFIGS = Path(motion_run.__file__).parent / 'configs'


def clips():
  for i in range(6):
    rng = np.random.default_rng(i)
    loud = np.clip(np.sin(np.arange(60) * 0.4 + i), 0, 1)
    motion = rng.normal(0, 0.05, (60, 60)).cumsum(0) * 0.1
    motion[:, motion_run.JAW] = loud
    features = 128 + 100 * loud[:, None] + rng.integers(0, 20, (60, 320))
    yield motion_cache.MotionClip(
      name=str(i),
      features=features.astype(np.uint8),
      motion=motion.astype(np.float32),
      gaze=np.zeros(2, np.float32),
      distance=1.1 + 0.02 * i,
      emotion=np.eye(8, dtype=np.float32)[5],
      held_out=i == 0,
    )


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  path = tmp_path_factory.mktemp('cache') / 'cache.npz'
  motion_cache.write_cache(path, clips(), 4 / 255, -2.0)
  return MotionRun(
    model=config_lib.tiny(),
    cache=str(path),
    steps=2,
    batch_size=4,
    held_out_windows=4,
    held_out_clips=1,
    ema_decay=0.5,
    log_every=1,
    devices=1,
  )


@pytest.mark.parametrize('name', ['tiny', 'lite', 'paper'])
def test_configs_build(name):
  config = load_config(CONFIGS / f'motion_{name}.py')
  assert config.model == getattr(config_lib, name)()
  assert count_params(config.model) > 0
  assert from_json(MotionRun, to_json(config)) == config
  changed = apply_overrides(config, ['model.velocity_weight=2', 'cache=x'])
  assert changed.model.velocity_weight == 2.0 and changed.cache == 'x'
  with pytest.raises(UsageError, match='model.layout'):
    apply_overrides(config, ['model.layout=rows'])


def test_trains_and_evaluates(run, tmp_path):
  whole = fit(run, run.job(), tmp_path / 'whole')
  assert whole.step == 2
  # The statistics of the cache travel with the weights, untouched by training.
  stats = motion_cache.read_cache(run.cache).moments().statistics()
  for name, value in stats.items():
    np.testing.assert_allclose(whole.params['stats'][name], value, rtol=1e-6)
  assert {'eval/loss', 'eval/mouth_r', 'eval/delta_p'} <= set(whole.metrics)
  assert all(np.isfinite(value) for value in whole.metrics.values())
  (picture,) = (tmp_path / 'whole' / 'samples').glob('*.png')
  assert picture.stat().st_size > 500


def test_a_run_starts_from_another(run, tmp_path):
  first = fit(run, run.job(), tmp_path / 'first')
  more = dataclasses.replace(run, init_from=str(tmp_path / 'first'), seed=3)
  begun = more.job().init(jax.random.key(9))
  # The average, and the statistics that go with it.
  for a, b in zip(jax.tree.leaves(begun), jax.tree.leaves(first.params), strict=True):
    np.testing.assert_array_equal(a, b)
  model = dataclasses.replace(run.model, depth=1)
  with pytest.raises(UserError, match='holds another model'):
    dataclasses.replace(more, model=model).job().init(jax.random.key(9))


def test_evaluation_knows_a_perfect_mouth(run, monkeypatch):
  cache = motion_cache.read_cache(run.cache)

  class Oracle:
    def __init__(self, config, params):
      del config, params

    def generate(self, features, controls, key):
      del features, controls
      motion = cache.clip(key).motion
      return motion_run.Motion(motion[:, :6], motion[:, 6:])

  monkeypatch.setattr(motion_run, 'MotionGenerator', Oracle)
  params = init_params(run.model, jax.random.key(0))
  figures = motion_run.evaluate(run, cache, jax.jit(run.job().loss), params)
  assert figures['mouth_r'] > 0.999 and figures['energy_r'] > 0.9
  assert abs(figures['jaw_spread'] - 1) < 1e-5
  assert figures['delta_p'] == figures['true_delta_p'] > 0


def test_each_host_gets_its_share(run):
  whole = next(run.job().batches(None, 0, 1))
  parts = [next(run.job().batches(None, host, 2)) for host in (0, 1)]
  assert len(whole['mask']) == 4 and len(parts[0]['mask']) == 2
  for host, part in enumerate(parts):
    np.testing.assert_array_equal(whole['motion'][host::2], part['motion'])
  with pytest.raises(UsageError, match='3 hosts'):
    run.job().batches(None, 0, 3)


def test_data_settings_reach_the_batches(run):
  plain = next(run.job().batches(None, 0, 1))
  for change in ({'augment': False}, {'seed': 1}):
    other = next(dataclasses.replace(run, **change).job().batches(None, 0, 1))
    assert np.any(other['features'] != plain['features'])


def test_both_forms_of_a_cache_train_alike(run, tmp_path):
  made = list(clips())
  motion_shards.write_shards(
    tmp_path / 'a', lambda numbers: (made[i] for i in numbers), 6, scale=4 / 255,
    offset=-2.0, shard_clips=4,
  )  # fmt: skip
  large = dataclasses.replace(run, cache=str(tmp_path / 'a'))
  small, other = (r.job().batches({'step': 3}, 0, 1) for r in (run, large))
  for _ in range(2):
    one, two = next(small), next(other)
    assert set(one) == set(two)
    for name in one:
      np.testing.assert_array_equal(one[name], two[name])
  assert small.get_state() == other.get_state() == {'step': 5}
  other.close()


def test_unfit_caches_are_named(run):
  model = dataclasses.replace(run.model, audio_dim=768)
  with pytest.raises(UsageError, match='320 audio features'):
    dataclasses.replace(run, model=model).job()
  model = dataclasses.replace(run.model, hears='wav2vec2')
  with pytest.raises(UsageError, match='heard with log-mel, the model hears with wav2'):
    dataclasses.replace(run, model=model).job()
  with pytest.raises(UserError, match='cache_latents'):
    dataclasses.replace(run, cache='/nowhere').job()


def test_plot_draws_each_curve():
  t = np.linspace(0, 6, 80)
  picture = motion_run.plot([[np.sin(t), np.cos(t)], [t]], width=100, height=40)
  assert picture.shape == (80, 100, 3) and picture.dtype == np.uint8
  blue = np.all(picture == [40, 90, 200], -1)
  assert blue[40:].any(0).all() and not blue[:40].all()
  orange = np.all(picture == [230, 120, 20], -1)
  assert (blue | orange)[:40].any(0).all() and not orange[40:].any()
  # A rising line goes up.
  rows = [blue[40:, x].nonzero()[0].mean() for x in (5, 50, 95)]
  assert rows[0] > rows[1] > rows[2]
