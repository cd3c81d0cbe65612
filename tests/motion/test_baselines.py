"""Baselines speak the interface of the generator, and find what they should."""

import dataclasses

import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.motion import config as config_lib
from vasa_jax.motion.baselines import MeanMotion, NearestMotion
from vasa_jax.motion.conditions import identity_stats
from vasa_jax.types import Controls

TINY = dataclasses.replace(config_lib.tiny(), audio_dim=12)


def corpus(seed=0):
  rng = np.random.default_rng(seed)
  features = rng.normal(size=(400, 12)).astype(np.float32)
  motion = rng.uniform(0, 1, (400, TINY.motion_dim)).astype(np.float32)
  return features, motion, np.array([150, 160, 400])


@pytest.fixture(scope='module')
def nearest():
  return NearestMotion(TINY, *corpus(), components=12)


def test_mean_does_not_move():
  stats = {**identity_stats(TINY), 'mean': np.full(TINY.motion_dim, 0.2)}
  controls = Controls(distance=np.array([1.3]))
  made = MeanMotion(TINY, stats).generate(np.zeros((7, 12)), controls, 3, steps=4)
  assert made.z_pose.shape == (7, 6) and made.z_dyn.shape == (7, 54)
  np.testing.assert_allclose(made.z_dyn, 0.2)
  np.testing.assert_allclose(made.z_pose[:, 3], np.log(1.3), rtol=1e-5)
  still = MeanMotion(TINY, stats).generate(np.zeros((7, 12)))
  np.testing.assert_allclose(still.z_pose[:, 3], 0.2)


def test_nearest_knows_its_own_speech(nearest):
  features, motion, _ = corpus()
  made = nearest.generate(features[200:270])
  # The inner frames: at the ends it does not know what was said beside.
  np.testing.assert_allclose(made.z_dyn[10:-10], motion[210:260, 6:], atol=1e-4)
  np.testing.assert_allclose(made.z_pose[10:-10], motion[210:260, :6], atol=1e-4)


def test_nearest_takes_whole_pieces_of_one_clip(nearest):
  # No piece runs over the end of a clip, and the short clip is never taken.
  for first in nearest.begins[[0, 130, 131, -1]]:
    assert first + 20 <= 150 or 160 <= first and first + 20 <= 400


@pytest.mark.parametrize('frames', [1, 9, 10, 11, 33])
def test_nearest_any_length(nearest, frames):
  made = nearest.generate(corpus(3)[0][:frames], None, 0)
  assert made.z_pose.shape == (frames, 6) and np.isfinite(made.z_dyn).all()


def test_nearest_has_no_jumps_where_pieces_meet():
  features, motion, ends = corpus()
  smooth = np.cumsum(motion - 0.5, 0) / 20
  model = NearestMotion(dataclasses.replace(TINY, anchored=False), features, smooth,
                        ends)  # fmt: skip
  pose = model.generate(corpus(3)[0][:100]).z_pose
  change = np.abs(np.diff(pose, axis=0)).mean(1)
  seams = change[9::10]
  assert seams.max() < 4 * np.median(change)


def test_nothing_to_take_or_to_say(nearest):
  features, motion, _ = corpus()
  with pytest.raises(UserError, match='20 frames'):
    NearestMotion(TINY, features[:19], motion[:19], np.array([19]))
  with pytest.raises(UserError, match='empty'):
    nearest.generate(np.zeros((0, 12)))
