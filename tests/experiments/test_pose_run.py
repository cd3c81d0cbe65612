"""The pose net alone: it learns from labels, and moves nothing else."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import pose_run
from experiments.configs import ablate_disentanglement
from experiments.identity_run import People
from vasa_jax.face.config import tiny
from vasa_jax.face.losses import pose_l2
from vasa_jax.training.config import load_config

CONFIG = Path(pose_run.__file__).parent / 'configs' / 'pose_small.py'


def test_config_is_of_the_net_that_starts_from_it():
  assert load_config(CONFIG).model == ablate_disentanglement.get_config().model


def test_only_the_pose_net_is_moved(monkeypatch):
  rng = np.random.default_rng(0)
  people = People(
    picture=rng.integers(0, 255, (4, 2, 64, 64, 3), np.uint8),
    pose=rng.normal(size=(4, 2, 6)).astype(np.float32),
    dyn=np.zeros((4, 2, 54), np.float32), shape=np.zeros((4, 64), np.float32),
  )  # fmt: skip
  monkeypatch.setattr(pose_run, 'read_people', lambda records: people)
  job = pose_run.PoseRun(model=tiny(), batch_size=3, held_out=1).job()
  params = job.init(jax.random.key(0))
  batch = next(job.batches(None, 0, 1))
  value, slope = jax.jit(
    jax.value_and_grad(lambda p: job.loss(p, batch, jax.random.key(0))[0])
  )(params)
  # The net starts near zero: what it says of a head is nearly the mean pose.
  at_zero = float(pose_l2(jnp.zeros((3, 6)), batch['pose']))
  assert float(value) == pytest.approx(at_zero, rel=0.5)
  encoder = slope.pop('motion_encoder')
  moved = {name for name, part in encoder.items() if _size(part) > 0}
  assert moved == {'pose', 'pose_out'} and _size(slope) == 0
  assert set(job.evaluate(params)) == {'yaw_error', 'pitch_error', 'roll_error'}


def _size(tree) -> float:
  return sum(float(jnp.abs(x).sum()) for x in jax.tree.leaves(tree))
