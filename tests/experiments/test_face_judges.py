"""Judges from files, and what a run says of those that are missing."""

import dataclasses

import jax
import numpy as np
import pytest

from experiments import face_judges
from experiments.face_judges import JudgeFiles, load_judges, why_off
from experiments.face_run import FaceRun
from vasa_jax.errors import UserError
from vasa_jax.face import config as config_lib
from vasa_jax.face.judges import Judges
from vasa_jax.face.losses import LossConfig, paper_losses
from vasa_jax.teachers import vgg


def vgg_state(config):
  """Random weights by PyTorch's names, the deeper convolutions passing little on."""
  rng, state, inside = np.random.default_rng(0), {}, 3
  for layer in config.layers:
    name = layer.replace('relu', 'conv')
    width = config.widths[int(name[4]) - 1]
    kernel = np.zeros((width, inside, 3, 3), np.float32)
    kernel[: min(width, inside), :, 1, 1] = rng.random((min(width, inside), inside))
    state[f'{name}.weight'] = kernel / inside
    state[f'{name}.bias'] = np.zeros(width, np.float32)
    inside = width
  return state


def test_the_paper_without_files_says_what_is_off():
  lines = '\n'.join(why_off(config_lib.paper(), paper_losses(), Judges()))
  for name, file in (
    ('pyramid', 'vgg19'), ('face', 'vgg_face'), ('gaze', 'gaze'),
    ('identity', 'arcface'), ('consistency_pyramid', 'vgg19'),
  ):  # fmt: skip
    assert f'{name} loss is off' in lines and f'--set judges.{file}=' in lines
  assert len(lines.splitlines()) == 5
  assert why_off(config_lib.lite(), LossConfig(), Judges()) == []


def test_terms_that_do_not_fit_the_model_are_told():
  lines = why_off(config_lib.lite(), LossConfig(contrastive=1.0, pose=1.0), Judges())
  assert len(lines) == 2 and all('anchored' in line for line in lines)
  lines = why_off(config_lib.paper(), LossConfig(), Judges())
  assert {line.split()[0] for line in lines} == {'motion', 'warped', 'paint', 'flow'}


def test_start_of_a_run_prints_them(capsys):
  model = dataclasses.replace(config_lib.tiny())
  FaceRun(model=model, losses=LossConfig(perceptual=0.0, identity=1.0)).job()
  assert 'identity loss is off: no weights' in capsys.readouterr().out


def test_files_become_distances(monkeypatch):
  asked = []

  def read(path):
    asked.append(path)
    return vgg_state({'one': vgg.VGG19, 'two': vgg.VGG_FACE}[path])

  monkeypatch.setattr(face_judges, 'read_weights', read)
  weights = LossConfig(perceptual=0.0, pyramid=1.0, face=1.0)
  found = load_judges(weights, JudgeFiles(vgg19='one', vgg_face='two', gaze='three'))
  assert asked == ['one', 'two'] and found.gaze is None and found.identity is None
  a, b = jax.random.uniform(jax.random.key(0), (2, 1, 32, 32, 3))
  for judge in (found.pictures, found.faces):
    judge = jax.jit(judge)
    assert judge(a, a) == 0 and judge(a, b) > 0
    slope = jax.grad(judge, (0, 1))(a, b)
    assert np.any(slope[0]) and not np.any(slope[1])  # the driver is data


def test_a_named_file_must_be_there():
  weights = LossConfig(perceptual=0.0, pyramid=1.0)
  with pytest.raises(UserError, match='nowhere.pth'):
    load_judges(weights, JudgeFiles(vgg19='/nowhere.pth'))
  assert load_judges(weights, JudgeFiles(arcface='/nowhere.pth')) == Judges()
