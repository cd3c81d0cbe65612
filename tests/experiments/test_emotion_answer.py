"""What a model shows of an emotion, written beside its weights."""

import json

import numpy as np
import pytest

from experiments import emotion_answer
from experiments.motion_judging import speakers, systems, trials
from vasa_jax.errors import UserError
from vasa_jax.inference import bundle
from vasa_jax.inference.emotion_answer import NAME, answer_of

ANSWER = {'scores': [0.0, 0.5, 1.0], 'amounts': [0.0, 0.3, 0.5]}


def test_the_rest_of_a_config_stays():
  config = {'format': 1, 'meta': {'data': 'these', NAME: 'old'}, 'face': {'a': 1}}
  text = emotion_answer.noted(json.dumps(config), ANSWER)
  config['meta'][NAME] = ANSWER
  assert json.loads(text) == config
  assert answer_of(json.loads(emotion_answer.noted('{}', ANSWER))['meta']) is not None


def test_the_embedded_weights_have_theirs():
  found = answer_of(bundle.read_config(bundle.EMBEDDED)[1])
  assert found is not None and 0.3 < found.amounts[-1] < 1.2


@pytest.mark.parametrize('rises', [True, False])
def test_it_is_the_mean_over_emotions(monkeypatch, tmp_path, capsys, rises):
  shown = [{'amounts': [0, 0.2, 0.6]}, {'amounts': [0, 0.4, 0.8 if rises else 0.0]}]
  monkeypatch.setattr(speakers, 'speakers', lambda *_: iter(()))
  monkeypatch.setattr(systems, 'model', lambda _: systems.System('model', None))
  monkeypatch.setattr(trials, 'emotion_rows', lambda *_: shown)
  if not rises:
    with pytest.raises(UserError, match='does not rise'):
      emotion_answer.measured('embedded', 0, 0)
    return
  found = emotion_answer.measured('embedded', 0, 0)
  np.testing.assert_allclose(found['amounts'], [0, 0.3, 0.7])
  before = (bundle.EMBEDDED / 'config.json').read_bytes()
  assert emotion_answer.main(['--dry', '--speakers', '0']) == 0
  assert json.loads(capsys.readouterr().out)['amounts'] == found['amounts']
  assert (bundle.EMBEDDED / 'config.json').read_bytes() == before
