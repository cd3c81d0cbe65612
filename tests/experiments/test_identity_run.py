"""The small judge of identity: its loss, its file, its evaluation."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import identity_run
from experiments.face_judges import JudgeFiles, load_judges
from vasa_jax.face.losses import LossConfig
from vasa_jax.teachers.arcface import ArcFace, ArcFaceConfig
from vasa_jax.teachers.loader import save_npz
from vasa_jax.training.config import from_json, load_config, to_json

CONFIG = Path(identity_run.__file__).parent / 'configs' / 'identity_judge.py'


def test_config_builds():
  config = load_config(CONFIG)
  assert from_json(identity_run.IdentityRun, to_json(config)) == config
  assert config.net.stages == (1, 1, 1, 1)


def test_margin_is_added_to_the_own_angle():
  angles = np.array([[0.5, 1.2], [2.0, 0.3]])
  value, figures = identity_run.arc_margin(
    jnp.cos(angles), jnp.array([0, 0]), scale=10.0, margin=0.2
  )
  moved = angles + np.array([[0.2, 0], [0.2, 0]])
  logits = 10 * np.cos(moved)
  wanted = np.mean(np.log(np.exp(logits).sum(1)) - logits[:, 0])
  assert value == pytest.approx(wanted, rel=1e-4)
  assert figures['named'] == 0.5


def test_file_has_the_published_names(tmp_path):
  config = ArcFaceConfig((1, 2, 1, 1), (2, 3, 4, 4), 5)
  rng = np.random.default_rng(0)
  faces = rng.uniform(size=(2, 112, 112, 3)).astype(np.float32)
  net = ArcFace(config)
  params = jax.eval_shape(net.init, jax.random.key(1), faces)['params']
  params = jax.tree.map(  # no norm or slope may be what it is by default
    lambda x: (0.3 * rng.normal(size=x.shape) + (x.ndim == 1)).astype(np.float32),
    params,
  )
  file = tmp_path / 'identity.npz'
  save_npz(file, identity_run.to_torch(params))
  judge = load_judges(
    LossConfig(perceptual=0.0, identity=1.0), JudgeFiles(arcface=str(file))
  ).identity
  found = np.asarray(jax.jit(judge)(faces))
  wanted = jax.jit(net.apply)({'params': params}, faces)
  np.testing.assert_allclose(found, wanted, atol=1e-5)
  assert np.linalg.norm(found[0] - found[1]) > 1e-3


def test_disturbed_faces_are_the_same_faces():
  faces = jnp.full((6, 16, 16, 3), jnp.array([0.7, 0.5, 0.4]))
  faces = faces.at[:, 4:8, 4:8].set(0.2)
  found = jax.jit(identity_run.disturbed)(faces, jax.random.key(0))
  assert found.shape == faces.shape and float(found.min()) >= 0
  assert float(jnp.std(found[:, 0, 0], 0).min()) > 0.02
  apart = found[:, 0, 0] - found[:, 6, 6]
  assert float(apart.min()) > 0.05


def test_verification_of_known_embeddings(monkeypatch):
  monkeypatch.setattr(identity_run, 'crops_of', lambda batch: batch['picture'])
  n, t = 4, 3
  people = identity_run.People(
    picture=np.repeat(np.eye(n, dtype=np.float32)[:, None], t, 1),
    pose=np.zeros((n, t, 6)), dyn=np.zeros((n, t, 54)), shape=np.zeros((n, 64)),
  )  # fmt: skip
  perfect = identity_run.verification(lambda x: x, people)
  assert perfect == {'equal_error': 0.0, 'same': 1.0, 'other': 0.0}
  blind = identity_run.verification(lambda x: jnp.ones_like(x) / 2, people)
  assert blind['equal_error'] == 1.0 and blind['other'] == 1.0


def test_draws_go_on_where_they_were():
  people = identity_run.People(
    picture=np.arange(5 * 2 * 12).reshape(5, 2, 2, 2, 3).astype(np.uint8),
    pose=np.zeros((5, 2, 6)), dyn=np.zeros((5, 2, 54)), shape=np.zeros((5, 64)),
  )  # fmt: skip
  draws = identity_run.Draws(people, known=3, size=8, seed=0)
  next(draws)
  other = identity_run.Draws(people, known=3, size=8, seed=0)
  other.set_state(draws.get_state())
  one, two = next(draws), next(other)
  np.testing.assert_array_equal(one['picture'], two['picture'])
  assert one['label'].max() < 3 and one['picture'].dtype == np.uint8
