"""The ablations' configs: every run builds, and differs in what its name says."""

from pathlib import Path

import jax
import numpy as np
import pytest

from experiments import ablation_run, sweep
from experiments.ablation_run import AblationRun
from experiments.configs import ablate_losses
from experiments.face_run import FaceRun
from vasa_jax.errors import UsageError
from vasa_jax.face.config import lite, tiny
from vasa_jax.face.losses import LossConfig

FOLDER = Path(ablate_losses.__file__).parent


@pytest.fixture
def batch():
  rng = np.random.default_rng(0)

  def numbers(*shape):
    return (0.1 * rng.normal(size=shape)).astype(np.float32)

  def pictures(*shape):
    return rng.integers(0, 255, (*shape, 64, 64, 3), np.uint8)

  return {
    'source_picture': pictures(2), 'driver_picture': pictures(2, 1),
    'stranger_picture': pictures(2), 'shape': numbers(2, 64),
    'source_pose': numbers(2, 6), 'driver_pose': numbers(2, 1, 6),
    'source_dyn': numbers(2, 54), 'driver_dyn': numbers(2, 1, 54),
    'source_centres': 0.5 + numbers(2, 3, 2),
    'driver_centres': 0.5 + numbers(2, 1, 3, 2),
    'source_points': 0.5 + numbers(2, 8, 3), 'driver_points': 0.5 + numbers(2, 1, 8, 3),
  }  # fmt: skip


@pytest.mark.parametrize(
  'file', sorted(FOLDER.glob('ablate_*.py')), ids=lambda f: f.stem
)
def test_every_run_of_a_sweep_fits_together(file):
  runs = sweep.items(str(file))
  for run in runs:
    if isinstance(run.config, FaceRun):  # others are checked when they are made
      run.config.model.check()
  assert len({str(run.config) for run in runs}) == len(runs)


def test_each_loss_of_lite_is_taken_away_once():
  full, *less = sweep.items(str(FOLDER / 'ablate_losses.py'))
  assert full.config.off == () and full.config.model.pixel_path == lite().pixel_path
  assert [run.config.off for run in less] == [(n,) for n in ablate_losses.TERMS]
  assert set(ablate_losses.TERMS) == set(ablation_run.weighted(full.config.losses))


def test_leaks_can_arise_where_they_are_measured():
  file = str(FOLDER / 'ablate_disentanglement.py')
  none, consist, cross_id, both, *weaker = sweep.items(file)
  assert not none.config.model.anchored and not none.config.model.pixel_path.prior
  assert set(none.config.off) == {'consistency', 'identity'}
  for run in (consist, cross_id, both):
    assert run.config.losses == none.config.losses
    assert set(run.config.off) < set(none.config.off)
  for run in weaker:
    assert run.config.off == consist.config.off
    assert 0 < run.config.losses.consistency < consist.config.losses.consistency


@pytest.mark.slow
def test_a_switch_takes_a_term_out_of_the_sum(batch):
  losses = LossConfig(perceptual=0.0, motion=0.5)
  names = ablation_run.weighted(losses)
  run = AblationRun(model=tiny(), losses=losses, off=('flow', 'hidden'))
  job = run.job()
  params, key = job.init(jax.random.key(0)), jax.random.key(1)
  loss = jax.jit(job.loss)  # one compilation for both

  def of(off):
    on = np.array([name not in off for name in names], np.float32)
    value, terms = loss(params, next(ablation_run._Switched(iter([batch]), on)), key)
    return float(value), {name: float(term) for name, term in terms.items()}

  full, terms = of(())
  wanted = sum(getattr(losses, n) * terms[n] for n in names if n in terms)
  assert full == pytest.approx(wanted, rel=1e-5) and terms['flow'] > 0
  less, others = of(run.off)
  wanted = sum(
    getattr(losses, n) * others[n] for n in names if n in others and n != 'flow'
  )
  assert less == pytest.approx(wanted, rel=1e-5)
  # What weighs pixels within other terms is gone as well.
  assert others['flow'] == terms['flow'] and others['pixel'] != terms['pixel']


def test_an_unknown_switch_is_named():
  run = AblationRun(model=tiny(), losses=LossConfig(perceptual=0.0), off=('flaw',))
  with pytest.raises(UsageError, match='off=flaw.*flow'):
    run.job()


def test_without_held_out_people_nothing_is_evaluated():
  job = AblationRun(model=tiny(), losses=LossConfig(perceptual=0.0), held_out=0).job()
  assert job.evaluate({}) == {} and job.preview({}) == {}
